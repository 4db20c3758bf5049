/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/past.h"

int past_open(struct tree *tree, const char *path, uint64_t limit, struct reason *why)
{
	int ret;

	*tree = (struct tree){ .spool.fd = -1, .db.wal_fd = -1, .gen = 1, .read_only = true };
	pthread_rwlock_init(&tree->freeze, NULL);
	pthread_mutex_init(&tree->lock, NULL);
	pthread_mutex_init(&tree->account, NULL);
	pthread_mutex_init(&tree->sync.lock, NULL);
	disc_reader_init(&tree->disc);
	atomic_store(&tree->disc.limit, limit);
	ret = db_open(&tree->db, path, why);
	if (ret == 0)
		db_stay_small(&tree->db);
	return ret;
}

void past_close(struct tree *tree)
{
	inode_cache_clear(&tree->cache);
	redo_clear(&tree->redo);
	if (tree->db.handle)
		db_close(&tree->db);
	pthread_rwlock_destroy(&tree->freeze);
	pthread_mutex_destroy(&tree->lock);
	pthread_mutex_destroy(&tree->account);
	pthread_mutex_destroy(&tree->sync.lock);
	disc_reader_destroy(&tree->disc);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/inode.h"

struct node_attr inode_attr(const struct inode *inode)
{
	struct node_attr attr = inode->node.attr;

	if (S_ISREG(attr.mode))
		attr.stored = max_u64(extent_map_stored(&inode->node.map), atomic_load(&inode->writers) > 0);
	return attr;
}

static struct inode **bucket_of(struct inode_cache *cache, uint64_t ino)
{
	return &cache->buckets[(ino * 0x9E3779B97F4A7C15ull >> 32) % INODE_BUCKETS];
}

static void idle_unlink(struct inode_cache *cache, struct inode *inode)
{
	*(inode->older ? &inode->older->newer : &cache->oldest) = inode->newer;
	*(inode->newer ? &inode->newer->older : &cache->newest) = inode->older;
	inode->older = inode->newer = NULL;
	cache->idle--;
}

static void idle_append(struct inode_cache *cache, struct inode *inode)
{
	inode->older = cache->newest;
	inode->newer = NULL;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = inode;
	cache->newest = inode;
	cache->idle++;
}

static void inode_free(struct inode *inode)
{
	node_clear(&inode->node);
	pthread_mutex_destroy(&inode->lock);
	pthread_rwlock_destroy(&inode->io);
	free(inode);
}

struct inode *inode_cache_add(struct inode_cache *cache, struct node *node, uint32_t gen)
{
	struct inode **bucket = bucket_of(cache, node->attr.ino);
	struct inode *inode = calloc(1, sizeof *inode);

	if (!inode)
		return NULL;
	pthread_mutex_init(&inode->lock, NULL);
	pthread_rwlock_init(&inode->io, NULL);
	inode->node = *node;
	*node = (struct node){ 0 };
	inode->gen = gen;
	inode->type = inode->node.attr.mode & S_IFMT;
	inode->in_udf = (uint8_t)node_entry_of(&inode->node);
	inode->refs = 1;
	inode->hash_next = *bucket;
	*bucket = inode;
	cache->count++;
	return inode;
}

struct inode *inode_cache_peek(const struct inode_cache *cache, uint64_t ino)
{
	struct inode *inode = cache->buckets[(ino * 0x9E3779B97F4A7C15ull >> 32) % INODE_BUCKETS];

	while (inode && inode->node.attr.ino != ino)
		inode = inode->hash_next;
	return inode;
}

struct inode *inode_cache_get(struct inode_cache *cache, uint64_t ino)
{
	struct inode *inode = inode_cache_peek(cache, ino);

	if (inode && inode->refs++ == 0)
		idle_unlink(cache, inode);
	return inode;
}

void inode_cache_drop(struct inode_cache *cache, struct inode *inode)
{
	struct inode **at = bucket_of(cache, inode->node.attr.ino);

	while (*at != inode)
		at = &(*at)->hash_next;
	*at = inode->hash_next;
	if (inode->refs == 0)
		idle_unlink(cache, inode);
	cache->count--;
	inode_free(inode);
}

void inode_cache_put(struct inode_cache *cache, struct inode *inode)
{
	struct inode *oldest;

	if (--inode->refs == 0)
		idle_append(cache, inode);
	oldest = cache->oldest;
	if (cache->idle <= INODE_IDLE_MAX)
		return;
	if (!oldest->dirty && oldest->node.attr.nlink) {
		inode_cache_drop(cache, oldest);
		return;
	}
	idle_unlink(cache, oldest); /* must stay: looked at again after all the others */
	idle_append(cache, oldest);
}

void inode_cache_clear(struct inode_cache *cache)
{
	for (size_t i = 0; i < INODE_BUCKETS; i++)
		while (cache->buckets[i]) {
			struct inode *next = cache->buckets[i]->hash_next;

			inode_free(cache->buckets[i]);
			cache->buckets[i] = next;
		}
	*cache = (struct inode_cache){ 0 };
}

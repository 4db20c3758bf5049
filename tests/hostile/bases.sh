# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Small images of several kinds, to be mutated: make_bases DIR
make_bases() {
	local dir=$1
	mkdir -p "$dir" tree/{one/two/three,many} && seq 2000 >tree/numbers && head -c 5000 /dev/urandom >tree/one/noise
	for i in {1..30}; do echo "$i" >"tree/many/a name of some length, number $i"; done
	ln -s ../numbers tree/one/link && ln -s "$(printf 'long/%.0s' {1..60})end" tree/one/two/long
	ln tree/numbers tree/one/two/three/again && mkfifo tree/one/pipe
	setfattr -n user.note -v "$(printf 'value%.0s' {1..40})" tree/numbers
	setfacl -m u:1234:rw tree/one/noise || true
	xorriso -outdev "$dir/rockridge" -padding 0 -joliet on -acl on -xattr on -md5 on -hardlinks on -map tree / -commit
	xorriso -dev "$dir/rockridge" -padding 0 -map tree/one /second -rm_r /many -- -commit
	xorriso -outdev "$dir/zisofs" -padding 0 -map tree / -set_filter_r --zisofs / -- -commit
	# its UDF can hang on anything but files and directories
	timeout 20 genisoimage -quiet -R -J -udf -no-pad -o "$dir/bridge" tree/many
	genisoimage -quiet -J -no-pad -o "$dir/joliet" tree
	genisoimage -quiet -no-pad -o "$dir/plain" tree
} >/dev/null 2>&1

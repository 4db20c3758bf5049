#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What goes wrong with real burners goes wrong here, too: what xorriso, which knows nothing of this simulator, makes of
# a writer that was killed, a power loss, a write error, closing that fails, another disc in the middle of a burn and a
# head that can't be read. discfs must do better; here it's seen that the hazards are real.
# shellcheck source=lib_drive.sh
. "$(dirname "$0")/lib_drive.sh"
requires xorriso

for n in 1 2 3; do
	mkdir "$T/t$n"
	head -c $((n * 2 << 20)) /dev/urandom >"$T/t$n/f$n"
done

burn() { # N [XORRISO-OPTION…]: whatever comes of it
	sim xorriso "${@:2}" -dev /dev/sr0 -map "$T/t$1" "/t$1" -commit >"$T/said" 2>&1
}

# Which trees the newest session shows, and whether they are what was burned.
whole() {
	local n trees=
	reload
	rm -rf "$T/found"
	sim xorriso -osirrox on:o_excl_off -indev /dev/sr0 -extract / "$T/found" >"$T/said" 2>&1 || true
	for n in 1 2 3; do
		[ ! -e "$T/found/t$n" ] || if cmp -s "$T/t$n/f$n" "$T/found/t$n/f$n"; then trees+=" $n"; else trees+=" spoilt-$n"; fi
	done
	assert_equal "${trees# }" "$1" "trees in the newest session of $kind"
}

# One good session, then the second with a rule; @ in it is an address in the middle of that.
begin() { # KIND RULE
	kind=$1
	new_disc "$kind" 80000
	burn 1 || fail "$kind: $(tail "$T/said")"
	reload
	second=$(disc nwa)
	rules "${2//@/$((second + 1000))}"
	if burn 2; then fail "$kind: burnt in spite of '$2'"; fi
	no_rules
}

close_damaged() {
	sim xorriso -outdev /dev/sr0 -close_damaged force >"$T/said" 2>&1
	assert_equal "$(disc last_session)" empty "session after closing, $kind"
}

# The last track, and how it stands.
last_is() { # STATE
	assert_equal "$(track "$(disc tracks)" state)" "$1" "last track of $kind"
}

sequential='cd-r dvd-r dvd+r bd-r'

# A killed writer leaves an open track. What is appended next lies inside it, and the disc shows the killed session; but
# on BD-R libburn closes it and then doesn't know where it is.
for kind in $sequential; do
	begin "$kind" "writing wrote=1500 kill"
	last_is open
	[ "$(disc nwa)" -ge $((second + 1500)) ]
	if burn 3; then
		[ "$kind" != bd-r ]
		assert_equal "$(disc sessions)" 3 "sessions of $kind"
		assert_equal "$(track 2 start)" "$second" "start of the second session of $kind"
	else
		assert_equal "$kind" bd-r
		grep -q '5 21 02' "$T/said"
	fi
	whole "1 spoilt-2"
	# The same closed first
	begin "$kind" "writing wrote=1500 kill"
	close_damaged
	reload
	burn 3 -load session 1 || fail "$kind: $(tail "$T/said")"
	assert_equal "$(disc sessions)" 4 "sessions of $kind"
done

# Power loss: what was acknowledged and hadn't left the cache is lost, the track is damaged, nothing goes on before it is
# closed.
for kind in $sequential; do
	begin "$kind" "wrote=1500 power-loss kill"
	last_is damaged
	[ "$(disc nwa)" -lt $((second + 1500)) ]
	if burn 3; then fail "$kind: appended to a damaged track"; fi
	close_damaged
	reload
	whole "1 spoilt-2"
done

# A write error. CD: libburn closes what there is of the session. DVD: the track is damaged. BD-R: left open.
while read -r kind state trees; do
	begin "$kind" "writing lba=@ sense=3/0c/00"
	last_is "$state"
	whole "$trees"
done <<-MEDIA
	cd-r invisible 1 spoilt-2
	dvd-r damaged 1
	dvd+r damaged 1
	bd-r open 1
MEDIA

# Closing fails: an incomplete session, which a second try closes.
for kind in $sequential; do
	begin "$kind" "op=0x5b/2 sense=5/72/01"
	assert_equal "$(disc last_session)" incomplete "$kind"
	sim xorriso -outdev /dev/sr0 -close_damaged force >"$T/said" 2>&1 || true
	assert_equal "$(disc last_session)" empty "$kind"
	whole "1 2"
done

# A head that can't be read: the disc counts as blank, and the next session has none of the old files.
for kind in cd-r dvd+r; do
	new_disc $kind 80000
	burn 1
	reload
	rules "reading lba=16..31 sense=3/11/05 times=0"
	burn 2 || true
	no_rules
	whole 2
done

# Another disc in the middle of a burn: libburn takes the unit attention for a hiccup and goes on, on the wrong disc.
kind=dvd+rw
new_disc dvd+rw 80000 "$T/wrong"
for n in 1 2 3; do burn $n; done
whole "1 2 3"
new_disc dvd+rw 80000
burn 1
writes=$(disc writes)
mmcsim show "$T/wrong" | grep '^writes=' >"$T/before"
rules "wrote=300 swap=$T/wrong"
burn 2 || true
no_rules
mmcsim show "$T/wrong" | grep '^writes=' >"$T/after"
if cmp -s "$T/before" "$T/after"; then fail "the wrong disc wasn't written"; fi
[ "$writes" -gt 0 ]

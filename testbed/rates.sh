#!/bin/sh
# How fast commands start: filch run beside xargs -P and GNU parallel (where that is installed), in one
# run, alternating, for a command that does nothing and for one whose output is tagged and kept in order.
# Each figure is of the whole tree of processes, from start to end, filch's own start and end included.
#
#   testbed/rates.sh [ROUNDS [LINES [JOBS]]]
#
# CONTENDERS="xargs filch" leaves out parallel, which takes most of the time.
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-5}
lines=${2:-2000}
jobs=${3:-2}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 ${GO:-go} build -trimpath -o "$work/filch" ./cmd/filch
filch=$work/filch
seq "$lines" >"$work/in"
contenders=${CONTENDERS-xargs filch parallel}
if ! parallel --version 2>/dev/null | grep -q '^GNU'; then
	contenders=$(echo "$contenders" | sed 's/parallel//')
fi

# true is run as a program everywhere, as xargs does it; xargs cannot tag.
command_of() {
	case $1 in
	true.filch) echo "'$filch' run -j$jobs true" ;;
	true.xargs) echo "xargs -P$jobs -n1 true" ;;
	true.parallel) echo "parallel -j$jobs true" ;;
	tag.filch) echo "'$filch' run -j$jobs -k --tag 'echo {}'" ;;
	tag.xargs) echo "xargs -P$jobs -n1 echo" ;;
	tag.parallel) echo "parallel -j$jobs -k --tag 'echo {}'" ;;
	esac
}

# clock FORM.CONTENDER: appends the milliseconds that it took, and its CPU time, to files of that name.
clock() {
	start=$(date +%s%N)
	sh -c "$(command_of "$1")
times" <"$work/in" >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }
	end=$(date +%s%N)
	echo $(((end - start) / 1000000)) >>"$work/$1.wall"
	tail -n 1 "$work/out" | awk '{ms = 0; for (i = 1; i <= 2; i++) {split($i, t, /[ms]/); ms += 60000 * t[1] + 1000 * t[2]}; print ms}' >>"$work/$1.cpu"
	sed '$d' "$work/out" | sed '$d' >"$work/printed"
	case $1 in
	tag.filch | tag.parallel) awk '{print $1 "\t" $1}' "$work/in" | cmp - "$work/printed" ;;
	esac
}

sorted() { sort -n "$work/$1" | awk -v what="$2" '{v[NR] = $1} END {m = v[int((NR + 1) / 2)]; if (what == "median") print m; else printf "[%d..%d]", v[1], v[NR]}'; }

# ratio FORM A B UNIT: the median of A's figure over B's, of the same round, and the spread.
ratio() {
	paste "$work/$1.$2.$4" "$work/$1.$3.$4" | awk '{print $1 / $2}' | sort -n |
		awk '{v[NR] = $1} END {printf "%.2f [%.2f..%.2f]", v[int((NR + 1) / 2)], v[1], v[NR]}'
}

echo "$lines commands, $jobs at once, $rounds rounds; $(getconf _NPROCESSORS_ONLN) CPUs, Linux $(uname -r), load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
for c in $contenders; do clock "true.$c"; done # rehearsal
rm -f "$work"/*.wall "$work"/*.cpu
i=0
while [ "$i" -lt "$rounds" ]; do
	for form in true tag; do
		for c in $contenders; do clock "$form.$c"; done
	done
	# Who went first goes last.
	contenders=$(echo "$contenders" | awk '{for (i = 2; i <= NF; i++) printf "%s ", $i; print $1}')
	i=$((i + 1))
done
for form in true tag; do
	echo "$form:"
	for c in xargs filch parallel; do
		[ -f "$work/$form.$c.wall" ] || continue
		printf '  %-9s %6s ms %-16s CPU %6s ms %-16s %s\n' "$c" "$(sorted $form.$c.wall median)" "$(sorted $form.$c.wall spread)" \
			"$(sorted $form.$c.cpu median)" "$(sorted $form.$c.cpu spread)" "$(command_of $form.$c | sed "s|'$filch'|filch|")"
	done
	echo "  rate of filch against xargs     $(ratio $form xargs filch wall)   by CPU time $(ratio $form xargs filch cpu)"
	[ -f "$work/$form.parallel.wall" ] &&
		echo "  rate of filch against parallel  $(ratio $form parallel filch wall)   by CPU time $(ratio $form parallel filch cpu)"
done
i=0
while [ "$i" -lt 20 ]; do
	start=$(date +%s%N)
	"$filch" run true ::: 1
	end=$(date +%s%N)
	echo $(((end - start) / 10000)) >>"$work/start"
	i=$((i + 1))
done
echo "filch run true ::: 1, 20 times: $(sort -n "$work/start" | awk '{v[NR] = $1 / 100} END {printf "%.1f ms [%.1f..%.1f]", v[int((NR + 1) / 2)], v[1], v[NR]}')"
echo "load average after: $(cut -d' ' -f1-3 /proc/loadavg)"

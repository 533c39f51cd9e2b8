#!/bin/sh
# The main job on real input: checksum and compress every file of a real tree
# (default: the Go toolchain's source) with filch run, compare the results byte
# for byte with a sequential run's, and put the time beside xargs -P, alternating.
#
#   testbed/real.sh [TREE [ROUNDS]]
set -eu
cd "$(dirname "$0")/.."
tree=${1:-$(go env GOROOT)/src}
rounds=${2:-5}
cpus=$(getconf _NPROCESSORS_ONLN)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/filch" ./cmd/filch
filch=$work/filch

# Two copies of the tree's regular files, and the list of their names.
mkdir "$work/a" "$work/b"
(cd "$tree" && find . -type f ! -name '*.gz' -print0) >"$work/names"
for d in a b; do
	(cd "$tree" && tar cf - --null -T "$work/names") | (cd "$work/$d" && tar xf -)
done
count=$(tr -cd '\0' <"$work/names" | wc -c)
echo "$count files, $(du -sh "$work/a" | cut -f1), of $tree; $cpus CPUs"

echo "checksums: filch run -0 -k sha256sum {}, against one sha256sum after the other"
(cd "$work/a" && xargs -0 -n1 sha256sum <"$work/names") >"$work/want"
(cd "$work/a" && "$filch" run -0 -k 'sha256sum {}' <"$work/names") >"$work/got"
cmp "$work/want" "$work/got" && echo "  identical: $(wc -l <"$work/got") lines"

echo "compression: filch run -0 'gzip -9n {}', against xargs -0 -n1 gzip -9n"
(cd "$work/a" && "$filch" run -0 'gzip -9n {}' <"$work/names")
(cd "$work/b" && xargs -0 -n1 gzip -9n <"$work/names")
diff -r "$work/a" "$work/b" && echo "  identical: $(find "$work/a" -name '*.gz' | wc -l) files"
(cd "$work/a" && "$filch" run -0 'gunzip {}.gz' <"$work/names")

now() { date +%s.%N; }
clock() { # clock NAME COMMAND: appends the seconds that it took to NAME
	start=$(now)
	(cd "$work/a" && sh -c "$2" <"$work/names" >/dev/null)
	echo "$start $(now)" | awk '{printf "%.2f\n", $2 - $1}' >>"$work/$1"
}
median() { sort -n "$work/$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
i=0
while [ "$i" -lt "$rounds" ]; do
	clock sum.filch "'$filch' run -0 -j$cpus 'sha256sum {}'"
	clock sum.xargs "xargs -0 -P$cpus -n1 sha256sum"
	clock zip.filch "'$filch' run -0 -j$cpus 'gzip -9c {}'"
	clock zip.xargs "xargs -0 -P$cpus -n1 gzip -9c"
	i=$((i + 1))
done
echo "medians of $rounds alternating runs, seconds:"
for job in sum zip; do
	echo "$job $(median $job.filch) $(median $job.xargs)" |
		awk '{printf "  %-4s filch %6.2f   xargs -P %6.2f   rate of filch against xargs %.2f\n", $1, $2, $3, $3 / $2}'
done

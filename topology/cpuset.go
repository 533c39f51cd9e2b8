package topology

import (
	"fmt"
	"math/bits"
	"strings"
)

// maxCPUs bounds CPU and node numbers: twice the largest NR_CPUS that any
// architecture of Linux can be built with (8192). Greater numbers in a file
// are nonsense and are left out, so that "0-4294967295" costs nothing.
const maxCPUs = 1 << 14

// A cpuSet is a set of small numbers (CPUs or nodes). The zero value is the
// empty set. Sets of different lengths compare by their members.
type cpuSet []uint64

func (s *cpuSet) add(n int) {
	if n < 0 || n >= maxCPUs {
		return
	}
	for len(*s) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s *cpuSet) addRange(lo, hi int) {
	for n := max(lo, 0); n <= min(hi, maxCPUs-1); n++ {
		s.add(n)
	}
}

func (s cpuSet) has(n int) bool {
	return n >= 0 && n/64 < len(s) && s[n/64]&(1<<(n%64)) != 0
}

func (s cpuSet) word(i int) uint64 {
	if i < len(s) {
		return s[i]
	}
	return 0
}

func (s cpuSet) and(t cpuSet) cpuSet {
	out := make(cpuSet, min(len(s), len(t)))
	for i := range out {
		out[i] = s[i] & t[i]
	}
	return out
}

func (s cpuSet) or(t cpuSet) cpuSet {
	out := make(cpuSet, max(len(s), len(t)))
	for i := range out {
		out[i] = s.word(i) | t.word(i)
	}
	return out
}

func (s cpuSet) without(t cpuSet) cpuSet {
	out := make(cpuSet, len(s))
	for i := range out {
		out[i] = s[i] &^ t.word(i)
	}
	return out
}

func (s cpuSet) empty() bool { return s.first() < 0 }

// first is the least member, or -1.
func (s cpuSet) first() int {
	for i, w := range s {
		if w != 0 {
			return i*64 + bits.TrailingZeros64(w)
		}
	}
	return -1
}

func (s cpuSet) count() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

func (s cpuSet) equal(t cpuSet) bool { return s.subsetOf(t) && t.subsetOf(s) }

func (s cpuSet) subsetOf(t cpuSet) bool {
	for i, w := range s {
		if w&^t.word(i) != 0 {
			return false
		}
	}
	return true
}

func (s cpuSet) intersects(t cpuSet) bool {
	for i := range min(len(s), len(t)) {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

// members calls yield for each member, rising; it has the form of an iterator.
func (s cpuSet) members(yield func(int) bool) {
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			if !yield(i*64 + bits.TrailingZeros64(w)) {
				return
			}
		}
	}
}

// slice lists the members, rising; never nil.
func (s cpuSet) slice() []int {
	out := make([]int, 0, s.count())
	for n := range s.members {
		out = append(out, n)
	}
	return out
}

func setOf(ns []int) cpuSet {
	var s cpuSet
	for _, n := range ns {
		s.add(n)
	}
	return s
}

// String writes the set as the kernel writes lists: "0-3,8".
func (s cpuSet) String() string { return FormatList(s.slice()) }

// FormatList writes rising numbers the way the kernel writes CPU lists:
// "0-3,8,10-11".
func FormatList(ns []int) string {
	var b strings.Builder
	for i := 0; i < len(ns); {
		j := i
		for j+1 < len(ns) && ns[j+1] == ns[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		if i == j {
			fmt.Fprintf(&b, "%d", ns[i])
		} else {
			fmt.Fprintf(&b, "%d-%d", ns[i], ns[j])
		}
		i = j + 1
	}
	return b.String()
}

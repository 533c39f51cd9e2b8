package topology

import (
	"strings"
	"testing"
)

func TestParseList(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "0-3\n": "0-3", "0-3,8,10-11\n": "0-3,8,10-11", " 1 , 2 ": "1-2", "": "", "\n": "",
		"3,1,1-2": "1-3", "007": "7", "5\x00": "5",
		"0-4294967295": "0-16383", "99999999": "", "16383-20000": "16383",
	} {
		s, err := parseList(in)
		if err != nil || s.String() != want {
			t.Errorf("parseList(%q) = %q, %v, want %q", in, s, err, want)
		}
	}
	for _, bad := range []string{"x", "1,", ",", "1-", "-1", "3-1", "1--2", "0x3", "1 2", "+1", "99999999999999999999999", "0-\n"} {
		if s, err := parseList(bad); err == nil {
			t.Errorf("parseList(%q) = %v, want an error", bad, s)
		}
	}
}

func TestParseMask(t *testing.T) {
	for in, want := range map[string]string{
		"1": "0", "f\n": "0-3", "00000000": "", "00000000,0000000f": "0-3",
		"1,00000000": "32", "1,0": "32", "ffff,ffffffff": "0-47", "0x3": "0-1",
		"ffffffffffff": "0-47", "8000000000000001": "0,63", "0000,00000080,00000000": "39",
		"F0": "4-7", "\t3 ": "0-1",
		strings.Repeat("0", 400) + "1":  "0",
		"1" + strings.Repeat("0", 6000): "", // beyond maxCPUs
		"80000000,00000000,00000000,00": "127",
	} {
		s, err := parseMask(in)
		if err != nil || s.String() != want {
			t.Errorf("parseMask(%.40q) = %q, %v, want %q", in, s, err, want)
		}
	}
	for _, bad := range []string{"", "\n", "g", "1,,2", ",1", "1,", "-1", "1 2", "0x", strings.Repeat("0", 10000)} {
		if s, err := parseMask(bad); err == nil {
			t.Errorf("parseMask(%.40q) = %v, want an error", bad, s)
		}
	}
}

func TestLeadingNumberAndSize(t *testing.T) {
	for in, want := range map[string]int64{"12\n": 12, "32K": 32, "-1": -1, " 7 x": 7} {
		if n, ok := leadingNumber(in); !ok || n != want {
			t.Errorf("leadingNumber(%q) = %d, %v", in, n, ok)
		}
	}
	for _, bad := range []string{"", "x1", "-", "\n"} {
		if n, ok := leadingNumber(bad); ok {
			t.Errorf("leadingNumber(%q) = %d", bad, n)
		}
	}
	for in, want := range map[string]int64{"32K\n": 32 << 10, "1024K": 1 << 20, "2M": 2 << 20, "64": 64 << 10, "x": 0, "": 0, "-3K": 0, "9999999999999999999K": 0} {
		if n := parseSize(in); n != want {
			t.Errorf("parseSize(%q) = %d, want %d", in, n, want)
		}
	}
}

func TestFormatList(t *testing.T) {
	for _, in := range []string{"", "0", "0-1", "0,2,4", "0-3,8,10-11"} {
		s, err := parseList(in)
		if err != nil || s.String() != in {
			t.Errorf("%q came back as %q, %v", in, s, err)
		}
	}
}

func TestCPUSet(t *testing.T) {
	a, b := setOf([]int{0, 1, 70}), setOf([]int{1, 70, 200})
	for what, c := range map[string]struct{ got, want string }{
		"and":     {a.and(b).String(), "1,70"},
		"or":      {a.or(b).String(), "0-1,70,200"},
		"without": {a.without(b).String(), "0"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", what, c.got, c.want)
		}
	}
	if !a.and(b).subsetOf(a) || a.subsetOf(b) || !a.intersects(b) || a.intersects(setOf([]int{5})) {
		t.Error("subsets and intersections are wrong")
	}
	if !a.equal(append(setOf([]int{0, 1, 70}), 0, 0)) {
		t.Error("equal sets of different length differ")
	}
	if a.first() != 0 || (cpuSet{}).first() != -1 || a.count() != 3 || !(cpuSet{0}).empty() {
		t.Error("first, count or empty are wrong")
	}
	var s cpuSet
	s.add(-1)
	s.add(maxCPUs)
	if !s.empty() || s.has(-1) || s.has(1<<30) {
		t.Error("numbers out of range got in")
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{"0-3,8\n", "", "0-4294967295", "3-1", ",,", "1-", "0x3", "16383"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := parseList(in)
		if err != nil {
			return
		}
		back, err := parseList(s.String())
		if err != nil || !back.equal(s) {
			t.Fatalf("%q: %v came back as %v, %v", in, s, back, err)
		}
	})
}

func FuzzParseMask(f *testing.F) {
	for _, s := range []string{"1,00000000", "ffffffffffff", "0x3", "", ",", "00000000,0000000f\n", "g"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		s, err := parseMask(in)
		if err == nil && len(s) > maxCPUs/64 {
			t.Fatalf("%q: set of %d words", in, len(s))
		}
	})
}

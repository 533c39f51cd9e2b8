package topology

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// FuzzReadFS damages whole trees: each group of four bytes of the script picks
// a file and what to do with it. Whatever comes out must be a sound Topology
// or one of the two errors, and must draw.
func FuzzReadFS(f *testing.F) {
	names := fixtureNames(f)
	machines := make([]*memFS, len(names))
	for i, name := range names {
		machines[i] = loadMachine(f, name)
		f.Add(uint8(i), []byte{})
		f.Add(uint8(i), []byte("\x00\x00\x00a\x01\x10\x01b\x00\x20\x02c\x03\x30\x03d\x02\x01\x04e"))
	}
	f.Fuzz(func(t *testing.T, which uint8, script []byte) {
		const mostSteps = 64
		base := machines[int(which)%len(machines)]
		m, paths := base.without(func(string) bool { return false }), base.names()
		for range mostSteps {
			if len(script) < 4 {
				break
			}
			damage(m, base, paths, script[:4])
			script = script[4:]
		}
		top, err := ReadFS(m)
		if err != nil {
			if !errors.Is(err, ErrNoMachine) && !errors.Is(err, ErrNoCPU) {
				t.Fatal(err)
			}
			return
		}
		checkInvariants(t, top)
		if err := top.Draw(io.Discard, int(which)); err != nil {
			t.Fatal(err)
		}
		if _, err := top.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	})
}

// damage does one thing to one file: empty it, swap in another's content, put
// in noise or a huge number, flip a bit, or remove it.
func damage(m, base *memFS, paths []string, step []byte) {
	at := (int(step[0])<<8 | int(step[1])) % len(paths)
	name, arg := paths[at], int(step[3])
	content := m.files[name]
	switch step[2] % 7 {
	case 0:
		content = ""
	case 1:
		content = base.files[paths[(at+arg+1)%len(paths)]]
	case 2:
		content = "\xff\x00,-:;{ \n"[arg%8:]
	case 3:
		content = "4294967295,18446744073709551616-99999999999999999999"[arg%48:]
	case 4:
		if b := []byte(content); len(b) > 0 {
			b[arg%len(b)] ^= 1 << (arg % 8)
			content = string(b)
		}
	case 5:
		content = string(bytes.Repeat([]byte("f,0-"), 1+arg))
	default:
		removed := m.without(func(n string) bool { return n == name })
		*m = *removed
		return
	}
	m.put(name, content)
}

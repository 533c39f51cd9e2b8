package command

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/filchsched/filch/exec/task"
)

var update = flag.Bool("update", false, "write the golden files")

// appender is what all three words have.
type appender interface {
	Append([]byte) ([]byte, error)
}

var start = time.Unix(0, 1_700_000_000_123_456_789)

// examples are one of each kind, with every field set.
var examples = []struct {
	name   string
	value  appender
	decode func([]byte) (any, error)
}{
	{"header", &Header{Dir: "/home/a b", Env: []string{"A=1", "B=x=y", "C=\xff"}, Umask: 0o22, Timeout: time.Minute, Cores: 2, Memory: 1 << 30, Job: "nightly"}, decodeHeader},
	{"anywhere", &Header{Anywhere: true, Umask: -1}, decodeHeader},
	{"words", &Body{Argv: []string{"gzip", "-9", "", "\x80"}, Line: "gzip -9 '' \x80", Seq: 1 << 40, Attempt: 3, Timeout: time.Hour}, decodeBody},
	{"line", &Body{Line: "a | b", Seq: 1, Attempt: 1}, decodeBody},
	{"failed", &Result{State: task.Failed, Detail: Timeout, Exit: 124, Signal: 15, Reason: "late", Host: "n1", Start: start, Wall: 3 * time.Second,
		Usage: task.Usage{User: 1, System: 2, MaxMemory: 3}, OutLen: 2, ErrLen: 1, Inline: true, Stdout: []byte("ab"), Stderr: []byte{0}}, decodeResult},
	{"long", &Result{State: task.Done, Host: "n1", Start: start, OutLen: 1 << 40, ErrLen: 7}, decodeResult},
}

func decodeHeader(b []byte) (any, error) { v, err := DecodeHeader(b); return &v, err }
func decodeBody(b []byte) (any, error)   { v, err := DecodeBody(b); return &v, err }
func decodeResult(b []byte) (any, error) {
	v, err := DecodeResult(b)
	if len(v.Stdout) == 0 {
		v.Stdout = nil
	}
	if len(v.Stderr) == 0 {
		v.Stderr = nil
	}
	return &v, err
}

// What travels between versions does not change: a change of these bytes is a change of the
// protocol.
func TestEncodingsStayAsTheyAre(t *testing.T) {
	const golden = "testdata/golden.txt"
	var all strings.Builder
	for _, x := range examples {
		b, err := x.value.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %s\n", x.name, hex.EncodeToString(b))
		got, err := x.decode(b)
		if err != nil || !reflect.DeepEqual(got, x.value) {
			t.Errorf("%s: %+v became %+v, %v", x.name, x.value, got, err)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || string(want) != all.String() {
		t.Errorf("%v; encodings are now\n%sand not\n%s", err, all.String(), want)
	}
}

func TestFieldsThatANewerFilchAddsAreLeftOut(t *testing.T) {
	for _, x := range examples {
		b, _ := x.value.Append(nil)
		if b[0]>>4 == 9 {
			b[0]++
		} else {
			b[2]++ // array 16
		}
		more, _ := msgpack.Marshal([]any{1, "two", map[string]int{"three": 3}})
		got, err := x.decode(append(b, more...))
		if err != nil || !reflect.DeepEqual(got, x.value) {
			t.Errorf("%s: %+v, %v", x.name, got, err)
		}
	}
}

func TestWhatIsNoCommandIsRefused(t *testing.T) {
	for name, v := range map[string]appender{
		"a relative directory":  &Header{Dir: "a", Umask: -1},
		"no directory":          &Header{Umask: -1},
		"two places":            &Header{Dir: "/", Anywhere: true},
		"no variable":           &Header{Dir: "/", Env: []string{"=x"}},
		"NUL in a variable":     &Header{Dir: "/", Env: []string{"A=\x00"}},
		"umask":                 &Header{Dir: "/", Umask: 0o1000},
		"negative time-out":     &Header{Dir: "/", Timeout: -1},
		"too large a header":    &Header{Dir: "/", Env: []string{"A=" + strings.Repeat("x", MaxHeader)}},
		"nothing to run":        &Body{},
		"no program":            &Body{Argv: []string{""}},
		"too large a body":      &Body{Line: strings.Repeat("x", MaxBody)},
		"no state":              &Result{},
		"cancelled":             &Result{State: task.Cancelled},
		"another length":        &Result{State: task.Done, Inline: true, OutLen: 1},
		"outputs twice":         &Result{State: task.Done, OutLen: 1, Stdout: []byte("x")},
		"a detail of its own":   &Result{State: task.Failed, Detail: "bored"},
		"too much of an output": &Result{State: task.Done, Inline: true, OutLen: MaxInline + 1, Stdout: make([]byte, MaxInline+1)},
	} {
		if b, err := v.Append([]byte("x")); err == nil || string(b) != "x" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestALongReasonIsCut(t *testing.T) {
	r := Result{State: task.Failed, Reason: strings.Repeat("x", 1<<20)}
	b, err := r.Append(nil)
	if err != nil || len(b) > MaxResult {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

// Whatever comes: no panic, no large allocation, and what is accepted can be encoded again
// and means the same.
func fuzz(f *testing.F, decode func([]byte) (any, error)) {
	for _, x := range examples {
		b, _ := x.value.Append(nil)
		f.Add(b)
	}
	f.Add([]byte{0xdd, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decode(b)
		if err != nil {
			return
		}
		again, err := v.(appender).Append(nil)
		if err != nil {
			t.Fatalf("%+v cannot be encoded again: %v", v, err)
		}
		if w, err := decode(again); err != nil || !same(v, w) {
			t.Errorf("%+v became %+v, %v", v, w, err)
		}
	})
}

func same(a, b any) bool { return reflect.DeepEqual(a, b) }

func FuzzHeader(f *testing.F) { fuzz(f, decodeHeader) }
func FuzzBody(f *testing.F)   { fuzz(f, decodeBody) }
func FuzzResult(f *testing.F) { fuzz(f, decodeResult) }

func TestDecodersAllocateNoMoreThanTheyGot(t *testing.T) {
	for _, b := range [][]byte{{0xdd, 0x7f, 0xff, 0xff, 0xff}, {0x9f, 0xdb, 0xff, 0xff, 0xff, 0xff}, bytes.Repeat([]byte{0x91}, 100)} {
		for _, x := range examples {
			if _, err := x.decode(b); err == nil {
				t.Errorf("%s: % x was accepted", x.name, b)
			}
		}
	}
}

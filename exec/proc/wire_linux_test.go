package proc

import (
	"reflect"
	"strings"
	"testing"
)

func someRequests() []request {
	return []request{
		{umask: -1, argv: []string{}, env: []string{}},
		{path: "/bin/echo", dir: "/tmp", argv: []string{"echo", "a b", ""}, env: []string{"A=1", "B=\xff"}, umask: 0o27, entering: 2, slot: 7, group: 1 << 22},
		{path: "x", argv: []string{strings.Repeat("y", 1<<17)}, env: []string{}, umask: 0},
	}
}

func TestRequestsArriveAsTheyWere(t *testing.T) {
	for _, q := range someRequests() {
		packet := q.append(nil)
		got, err := parseRequest(packet)
		if err != nil || !reflect.DeepEqual(*got, q) {
			t.Errorf("%+v came back as %+v, %v", q, got, err)
		}
		for n := range min(len(packet), 200) {
			if q, err := parseRequest(packet[:n]); err == nil {
				t.Errorf("the first %d bytes are %+v", n, q)
			}
		}
		if _, err := parseRequest(append(packet, 0)); err == nil {
			t.Error("a byte too many")
		}
	}
}

// Whatever is decoded is no larger than what it was decoded from, and is encoded
// to something that means the same.
func FuzzParseRequest(f *testing.F) {
	for _, q := range someRequests() {
		f.Add(q.append(nil))
	}
	f.Add([]byte("S\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := parseRequest(b)
		if err != nil {
			return
		}
		if len(q.argv)+len(q.env) > len(b) {
			t.Fatalf("%d strings from %d bytes", len(q.argv)+len(q.env), len(b))
		}
		again, err := parseRequest(q.append(nil))
		if err != nil || !reflect.DeepEqual(q, again) {
			t.Fatalf("%+v became %+v, %v", q, again, err)
		}
	})
}

func TestFinishedArrivesAsItWas(t *testing.T) {
	want := finished{1, 2, 3, 4, 5, 6, 7, -8, 1}
	b := want.encode()
	var got finished
	if got.decode(b); got != want || len(b) != finishedSize {
		t.Errorf("%+v came back as %+v in %d bytes", want, got, len(b))
	}
}

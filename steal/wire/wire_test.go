package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal/core"
)

var update = flag.Bool("update", false, "write testdata anew")

// fill sets every field of a struct, however deep, to something that is not zero and
// different from its neighbours, so that a field that a codec forgets is noticed.
func fill(v reflect.Value, n *uint64) {
	*n++
	switch x := v.Addr().Interface().(type) {
	case *core.Span:
		*x = core.Span{Lo: *n, Hi: *n + 2}
		return
	case *core.ClaimState:
		*x = core.ClaimState(1 + *n%7)
		return
	case *core.EndKind:
		*x = core.EndKind(1 + *n%5)
		return
	case *task.State:
		*x = task.State(1 + *n%3)
		return
	case *core.Message:
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for k := range v.NumField() {
			fill(v.Field(k), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for k := range 2 {
			fill(v.Index(k), n)
		}
	case reflect.Array:
		for k := range v.Len() {
			fill(v.Index(k), n)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.String:
		v.SetString(fmt.Sprint("s", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(1 + *n%250)
	case reflect.Int8:
		v.SetInt(-int64(*n % 20))
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(int64(*n) * 1000)
	case reflect.Uint32, reflect.Uint64:
		v.SetUint(*n * 300)
	default:
		panic(v.Type().String())
	}
}

var messages = []core.Message{core.Hello{}, core.Beat{}, core.Page{}, core.Report{}, core.StartAsk{}, core.Offer{}, core.Withdraw{}, core.Proof{},
	core.Ack{}, core.Grant{}, core.Drop{}, core.Gone{}, core.Recorded{}, core.StartOK{}, core.Recall{}, core.Refused{}, core.NoWork{}, core.News{},
	core.Challenge{}, core.Invite{}}

// samples are records of every kind, full and empty.
func samples() (list []Record) {
	for _, m := range messages {
		n := uint64(0)
		full := reflect.New(reflect.TypeOf(m)).Elem()
		fill(full, &n)
		f := Frame{}
		fill(reflect.ValueOf(&f.Frame).Elem(), &n)
		f.More, f.Outputs = true, 5
		f.Msg = full.Interface().(core.Message)
		list = append(list, f)
	}
	for _, r := range []Record{Header{}, Bodies{}, Fetch{}, Missing{}, Chunk{}} {
		n := uint64(0)
		full := reflect.New(reflect.TypeOf(r)).Elem()
		fill(full, &n)
		list = append(list, full.Interface().(Record))
	}
	return list
}

func nameOf(r Record) string {
	if f, ok := r.(Frame); ok {
		return strings.TrimPrefix(fmt.Sprintf("%T", f.Msg), "core.")
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", r), "wire.")
}

func encoded(t testing.TB, r Record) []byte {
	t.Helper()
	b, err := NewEncoder().Append(nil, r, MaxData)
	if err != nil {
		t.Fatalf("%T: %v", r, err)
	}
	return b[lengthSize:]
}

func TestEveryFieldOfEveryRecordComesBack(t *testing.T) {
	d := NewDecoder()
	for _, r := range samples() {
		back, err := d.Decode(encoded(t, r))
		if err != nil {
			t.Errorf("%s: %v", nameOf(r), err)
		} else if !reflect.DeepEqual(r, back) {
			t.Errorf("%s:\n%+v\n%+v", nameOf(r), r, back)
		}
	}
	for _, m := range messages { // and so do empty ones, if they are allowed to be
		r := Frame{Frame: core.Frame{Msg: m}}
		if back, err := d.Decode(encoded(t, r)); err == nil && !reflect.DeepEqual(r, back) {
			t.Errorf("%s:\n%+v\n%+v", nameOf(r), r, back)
		}
	}
}

// TestGolden keeps the format from changing by accident: what version 1 wrote must
// be what version 1 reads. A change here is a new Version.
func TestGolden(t *testing.T) {
	for _, r := range samples() {
		file := filepath.Join("testdata", strings.ToLower(nameOf(r))+".hex")
		got := hex.Dump(encoded(t, r))
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is written differently:\n%s", nameOf(r), got)
		}
	}
}

// grow adds fields to the ends of all arrays that are structs in the sample's
// outermost two levels: what a newer peer would send.
func TestFieldsOfNewerPeersAreSkipped(t *testing.T) {
	for _, r := range samples() {
		b := encoded(t, r)
		if b[0]>>4 != 9 {
			t.Fatalf("%s: does not begin with a short array", nameOf(r))
		}
		b[0] += 2
		b = append(b, 0xc3, 0x92, 0x01, 0xa1, 'x')
		back, err := NewDecoder().Decode(b)
		if err != nil || !reflect.DeepEqual(r, back) {
			t.Errorf("%s: %v", nameOf(r), err)
		}
	}
}

func TestGarbageIsRefused(t *testing.T) {
	good := encoded(t, samples()[9])
	for name, b := range map[string][]byte{
		"nothing":             {},
		"bomb":                {0xdd, 0x7f, 0xff, 0xff, 0xff},
		"extension":           {0x92, 0x01, 0xc7, 0x00, 0x01},
		"deep":                bytes.Repeat([]byte{0x91}, 40),
		"trailing":            append(bytes.Clone(good), 0xc0),
		"cut":                 good[:len(good)-1],
		"unknown kind":        {0x92, 0x33, 0xc0},
		"unknown message":     {0x99, 0x30, 1, 1, 1, 1, 0xc2, 0xc2, 0, 0x90},
		"no array":            {0x01},
		"a record of nothing": {0x91, 0x01},
		"negative epoch":      {0x99, 0x10, 1, 1, 0xff, 1, 0xc2, 0xc2, 0, 0x90},
		"map for an array":    {0x99, 0x10, 1, 1, 1, 1, 0xc2, 0xc2, 0, 0x80},
		"far peer":            {0x94, 0x43, 1, 0x05, 1},
	} {
		if r, err := NewDecoder().Decode(b); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestDecodingAllocatesAFewTimesTheInput(t *testing.T) {
	nils := []byte{0x94, tagBodies, 0xa1, 'h', 1}
	nils[0] = 0x95
	nils = append(nils, 1, 0xdc, 0x20, 0)
	nils = append(nils, bytes.Repeat([]byte{0xc0}, 0x2000)...)
	spans := []byte{0x99, tagHello, 1, 1, 1, 1, 0xc2, 0xc2, 0, 0x92, 0xdc, 0x0f, 0xff}
	spans = append(spans, bytes.Repeat([]byte{0xc0}, 0xfff)...)
	spans = append(spans, 0xc2)
	for _, b := range [][]byte{nils, spans} {
		d := NewDecoder()
		per := testing.Benchmark(func(bench *testing.B) {
			bench.ReportAllocs()
			for range bench.N {
				d.Decode(b)
			}
		}).AllocedBytesPerOp()
		if per > 32*int64(len(b)) {
			t.Errorf("%d bytes for a record of %d", per, len(b))
		}
	}
}

func TestWhatIsTooLongIsSplit(t *testing.T) {
	var report core.Report
	for k := range uint64(200) {
		p := core.Piece{Job: core.JobID{Home: "home", Seq: 1 << 32}, Span: core.Span{Lo: k, Hi: k + 1}, Attempt: core.Attempt{Incarnation: 1, N: uint32(k)}}
		report.Outcomes = append(report.Outcomes, core.Outcome{Piece: p, Values: [][]byte{bytes.Repeat([]byte{byte(k)}, 2000)}})
		report.Ends = append(report.Ends, core.End{Piece: p, Kind: core.EndLost})
	}
	got := split(t, report)
	var back core.Report
	for _, m := range got {
		back.Outcomes = append(back.Outcomes, m.Msg.(core.Report).Outcomes...)
		back.Ends = append(back.Ends, m.Msg.(core.Report).Ends...)
	}
	if len(got) < 4 || !reflect.DeepEqual(report, back) {
		t.Errorf("%d frames; equal: %v", len(got), reflect.DeepEqual(report, back))
	}

	var claims []core.Claim
	long := strings.Repeat("p", 200)
	for k := range uint64(500) {
		claims = append(claims, core.Claim{Piece: report.Outcomes[k%200].Piece, State: core.ClaimRunning, Warrant: core.Warrant{Holder: core.PeerID(fmt.Sprint(long, k))}})
	}
	got = split(t, core.Beat{N: 7, Full: true, Claims: claims})
	all := got[0].Msg.(core.Beat).Claims
	more := got[0].Msg.(core.Beat).More
	for _, m := range got[1:] {
		if !more {
			t.Error("more comes than was said")
		}
		all, more = append(all, m.Msg.(core.Page).Claims...), m.Msg.(core.Page).More
	}
	if more || !reflect.DeepEqual(all, claims) {
		t.Error("the set is not whole")
	}

	grant := core.Grant{N: 3}
	for k := range uint64(256) {
		grant.Parts = append(grant.Parts, core.Part{Piece: report.Outcomes[k%200].Piece, Terms: core.Terms{Name: fmt.Sprint(long, k)}})
	}
	got = split(t, grant)
	var parts []core.Part
	for k, m := range got {
		if m.More != (k < len(got)-1) || m.Msg.(core.Grant).N != 3 {
			t.Errorf("%d: more is %v", k, m.More)
		}
		parts = append(parts, m.Msg.(core.Grant).Parts...)
	}
	if !reflect.DeepEqual(parts, grant.Parts) {
		t.Error("the grant is not whole")
	}
	huge := core.Report{Outcomes: []core.Outcome{{Piece: report.Outcomes[0].Piece, Values: [][]byte{make([]byte, MaxControl)}}}}
	var tooLong *TooLong
	if b, err := NewEncoder().AppendSplit([]byte("before"), core.Frame{Msg: huge}, func() uint64 { return 1 }); !errors.As(err, &tooLong) || string(b) != "before" {
		t.Errorf("%q, %v", b, err)
	}
}

// split returns the frames that a message is split into; their numbers rise by one, but within a grant.
func split(t *testing.T, m core.Message) (list []Frame) {
	seq := uint64(41)
	b, err := NewEncoder().AppendSplit(nil, core.Frame{Inc: 1, Epoch: 2, Msg: m}, func() uint64 { seq++; return seq })
	if err != nil {
		t.Fatal(err)
	}
	d, r := NewDecoder(), bytes.NewReader(b)
	for n := uint64(42); ; n++ {
		one, err := ReadRecord(r, nil, MaxControl)
		if err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		rec, err := d.Decode(one)
		if err != nil {
			t.Fatal(err)
		}
		if f := rec.(Frame); f.Seq != n || f.Epoch != 2 {
			t.Fatalf("frame %d: %+v", n, f.Frame)
		}
		list = append(list, rec.(Frame))
		if rec.(Frame).More {
			n--
		}
	}
}

func TestTermsAreWrittenOncePerJob(t *testing.T) {
	grant := core.Grant{N: 1}
	for k := range uint64(100) {
		n := uint64(0)
		var p core.Part
		fill(reflect.ValueOf(&p).Elem(), &n)
		p.Span = core.Span{Lo: k, Hi: k + 1}
		p.Job.Seq = k % 2
		grant.Parts = append(grant.Parts, p)
	}
	r := Frame{Frame: core.Frame{Msg: grant}}
	b := encoded(t, r)
	if len(b) > 100*60 {
		t.Errorf("%d bytes for 100 parts", len(b))
	}
	if back, err := NewDecoder().Decode(b); err != nil || !reflect.DeepEqual(r, back) {
		t.Errorf("%v", err)
	}
}

func TestLongReasonsAreCut(t *testing.T) {
	r := Missing{Why: strings.Repeat("ä", maxText)}
	back, err := NewDecoder().Decode(encoded(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if why := back.(Missing).Why; len(why) > maxText || len(why) < maxText-4 || !strings.HasPrefix(r.Why, why) || strings.Contains(why, "\ufffd") {
		t.Errorf("%d bytes", len(why))
	}
}

func TestPreface(t *testing.T) {
	p := Preface{Inc: 7, Epoch: 9}
	b := p.Append(nil)
	if got, err := ReadPreface(bytes.NewReader(b)); err != nil || got != p {
		t.Errorf("%+v, %v", got, err)
	}
	b[len(magic)] = 77
	_, err := ReadPreface(bytes.NewReader(b))
	var v *VersionError
	if !errors.As(err, &v) || !strings.Contains(err.Error(), "version 77") || !strings.Contains(err.Error(), fmt.Sprint("version ", Version)) {
		t.Errorf("%v", err)
	}
	b[0] = 'F'
	if _, err := ReadPreface(bytes.NewReader(b)); err == nil {
		t.Error("somebody else's magic")
	}
	if _, err := ReadPreface(bytes.NewReader(b[:5])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

func TestReadRecordRefusesWhatIsTooLong(t *testing.T) {
	_, err := ReadRecord(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff}), nil, MaxControl)
	var long *TooLong
	if !errors.As(err, &long) {
		t.Error(err)
	}
	if _, err := ReadRecord(bytes.NewReader([]byte{0, 0, 0, 9, 1}), nil, MaxControl); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	if _, err := ReadRecord(bytes.NewReader(nil), nil, MaxControl); err != io.EOF {
		t.Error(err)
	}
}

// FuzzDecode: no input panics, or allocates much; whatever is read is written and read
// again as the same.
func FuzzDecode(f *testing.F) {
	for _, r := range samples() {
		f.Add(encoded(f, r))
	}
	f.Add([]byte{0xdd, 0x7f, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := NewDecoder()
		r, err := d.Decode(b)
		if err != nil {
			return
		}
		again, err := NewEncoder().Append(nil, r, 2*MaxData)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", r, err)
		}
		back, err := d.Decode(again[lengthSize:])
		if err != nil {
			t.Fatalf("%+v cannot be read again: %v", r, err)
		}
		if !reflect.DeepEqual(r, back) {
			t.Fatalf("\n%+v\n%+v", r, back)
		}
	})
}

func FuzzStream(f *testing.F) {
	f.Add(Preface{1, 2}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		if _, err := ReadPreface(r); err != nil {
			return
		}
		for {
			rec, err := ReadRecord(r, nil, MaxControl)
			if err != nil {
				return
			}
			NewDecoder().Decode(rec)
		}
	})
}

func benchGrant() (Frame, Bodies) {
	job := core.JobID{Home: core.PeerID(strings.Repeat("h", 38)), Seq: 1<<32 | 1}
	g := core.Grant{N: 5, Offer: 4, Lanes: []core.LaneLeft{{Left: 7 * time.Second}}, Rest: time.Second}
	g.Parts = []core.Part{{Piece: core.Piece{Job: job, Span: core.Span{Lo: 1e6, Hi: 1e6 + 64}, Attempt: core.Attempt{Incarnation: 1, N: 777}},
		Terms: core.Terms{Name: "square", Kind: task.KindFunc}, Warrant: core.Warrant{Holder: core.PeerID(strings.Repeat("t", 38))}}}
	b := Bodies{Job: job, Lo: 1e6}
	for range 64 {
		b.Data = append(b.Data, make([]byte, 16))
	}
	return Frame{Frame: core.Frame{Inc: 1, Epoch: 3, Seq: 99, Msg: g}}, b
}

func BenchmarkGrantOf64WithBodies(b *testing.B) {
	g, bodies := benchGrant()
	e, d := NewEncoder(), NewDecoder()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = e.Append(buf[:0], bodies, MaxControl)
		if _, err := d.Decode(buf[lengthSize:]); err != nil {
			b.Fatal(err)
		}
		buf, _ = e.Append(buf[:0], g, MaxControl)
		if _, err := d.Decode(buf[lengthSize:]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReportOf64Values(b *testing.B) {
	g, _ := benchGrant()
	o := core.Outcome{Piece: g.Msg.(core.Grant).Parts[0].Piece, Host: "t", Ran: time.Millisecond}
	for range 64 {
		o.Values = append(o.Values, make([]byte, 8))
	}
	g.Msg = core.Report{Outcomes: []core.Outcome{o}}
	e, d := NewEncoder(), NewDecoder()
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = e.Append(buf[:0], g, MaxControl)
		if _, err := d.Decode(buf[lengthSize:]); err != nil {
			b.Fatal(err)
		}
	}
}

// TestTermsOfOlderNodesAreRead: who knows nothing of children writes a field less.
func TestTermsOfOlderNodesAreRead(t *testing.T) {
	e := NewEncoder()
	terms := core.Terms{Name: "f", Nice: 3}
	e.c.terms(&terms)
	b := slices.Clone(e.c.out)
	if b[0] != 0x90|termsFields+1 || b[len(b)-1] != 0xc2 {
		t.Fatalf("not what this test takes apart: %x", b)
	}
	b = b[:len(b)-1]
	b[0]--
	d := NewDecoder()
	d.c.buf = b
	d.c.in.Reset(b)
	back := core.Terms{}
	if d.c.terms(&back); d.c.err != nil || back.Name != "f" || back.Nice != 3 || back.Child {
		t.Errorf("%+v, %v", back, d.c.err)
	}
}

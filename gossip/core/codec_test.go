package core

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func goldenRecord() Record {
	return Record{
		ID: "\x00\x24\x08\x01node", Incarnation: 300, Sequence: 2, Name: "thrush",
		Addrs:  []string{"/ip4/10.0.0.7/udp/4000/quic-v1", "/ip4/10.0.0.7/tcp/4000"},
		Labels: map[string]string{"zone": "z1", "rack": "r1", "gpu": ""},
		Host:   HostID{Machine: [16]byte{1, 2}, Boot: [16]byte{3, 4}},
		Arch:   "arm64", OS: "linux", Cores: 4, Memory: 8 << 30, Kinds: []string{"func", "proc"},
		Functions: 0xfeedface, Version: "v0.4.0", Certificate: []byte{9, 8, 7}, Coordinate: []byte{1}, Speed: 1250,
	}
}

func goldenTag() Tag {
	t := Tag{Incarnation: 300, Sequence: 2, Hash: Hash{0xab, 1}}
	for i := range t.Signature {
		t.Signature[i] = byte(i)
	}
	return t
}

func goldenNews() datagram {
	return datagram{digest: 0x0102030405060708, entries: []Entry{
		{who: 0xa1a2a3a4a5a6a7a8, incarnation: 300, sequence: 70000, standing: Starved, freeCores: 3},
		{who: 0xb1b2b3b4b5b6b7b8, incarnation: 1, sequence: 5, standing: Surplus, queued: 5 * time.Hour, age: 1230 * time.Millisecond},
	}}
}

// TestGoldenCodecs: these bytes are on the wire between versions. Who has to change
// them raises the version byte.
func TestGoldenCodecs(t *testing.T) {
	r := goldenRecord()
	record, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		got  []byte
		want string
	}{
		{"record", record, goldenRecordHex},
		{"tag", goldenTag().Encode(), goldenTagHex},
		{"signed", goldenTag().Signed("me"), goldenSignedHex},
		{"news", goldenNews().encode(), goldenNewsHex},
	} {
		if got := hex.EncodeToString(test.got); got != strings.ReplaceAll(test.want, "\n", "") {
			t.Errorf("golden: %s is\n%s, want\n%s", test.name, got, test.want)
		}
	}
}

const (
	goldenRecordHex = `
0108002408016e6f646502ac02010206746872757368361e2f6970342f31302e302e302e372f7564702f343030302f717569632d7631162f6970342f
31302e302e302e372f7463702f34303030150367707500047261636b027231047a6f6e65027a31100102000000000000000000000000000010030400
000000000000000000000000000561726d3634056c696e757801040580808080200a0466756e630470726f6305cef5b7f70f0676302e342e30030908
07010102e209`
	goldenTagHex = `
01ac0202ab010000000000000000000000000000000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627
28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f`
	goldenSignedHex = `
66696c636820746167203100026d65000000000000012c0000000000000002ab010000000000000000000000000000`
	goldenNewsHex = `
01020102030405060708a1a2a3a4a5a6a7a8012c0001117002000300000000b1b2b3b4b5b6b7b8000100000005010000744a007b`
)

func TestCodecsReadWhatTheyWrite(t *testing.T) {
	r := goldenRecord()
	b, _ := r.Encode()
	if back, err := DecodeRecord(b); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("record: %+v, %v", back, err)
	}
	if back, err := DecodeTag(goldenTag().Encode()); err != nil || back != goldenTag() {
		t.Errorf("tag: %+v, %v", back, err)
	}
	back, err := decodeNews(goldenNews().encode())
	want := goldenNews()
	want.entries[1].queued = back.entries[1].queued // rounded
	if err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("news: %+v, %v", back, err)
	}
	if q := back.entries[1].queued; q > 5*time.Hour || q < 5*time.Hour*999/1000 {
		t.Errorf("news: five hours came back as %v", q)
	}
}

func TestRecordsOfLaterVersionsAreRead(t *testing.T) {
	r := goldenRecord()
	b, _ := r.Encode()
	later := appendField(appendField(bytes.Clone(b), "new"), "")
	if back, err := DecodeRecord(later); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("extra: two more fields: %+v, %v", back, err)
	}
	for range maxExtraFields {
		later = appendField(later, "")
	}
	var over *LimitError
	if _, err := DecodeRecord(later); !errors.As(err, &over) {
		t.Errorf("extra: %d more fields: %v, want a LimitError", maxExtraFields+2, err)
	}
}

// TestRecordsOfEarlierVersionsAreRead: they end before the speed.
func TestRecordsOfEarlierVersionsAreRead(t *testing.T) {
	r := goldenRecord()
	r.Speed = 0
	b, _ := r.Encode()
	if back, err := DecodeRecord(b[:len(b)-2]); err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("without a speed: %+v, %v", back, err)
	}
}

// TestDecodersRefuse lists what must not be read, each beside its reason.
func TestDecodersRefuse(t *testing.T) {
	r := goldenRecord()
	record, _ := r.Encode()
	tag, news := goldenTag().Encode(), goldenNews().encode()
	change := func(b []byte, at int, to byte) []byte { b = bytes.Clone(b); b[at] = to; return b }
	long := goldenRecord()
	long.Name = strings.Repeat("x", MaxNameLen)
	full, _ := long.Encode()
	tooLong := bytes.Replace(full, append([]byte{0x80, 1}, long.Name...), append([]byte{0x81, 1}, long.Name+"x"...), 1)
	if bytes.Equal(full, tooLong) {
		t.Fatal("the name was not found")
	}
	both := goldenNews()
	both.entries[0].standing = known
	for _, test := range []struct {
		name   string
		decode func([]byte) error
		in     []byte
	}{
		{"record: nothing", record0, nil},
		{"record: another version", record0, change(record, 0, 2)},
		{"record: half a trailing field", record0, append(bytes.Clone(record), 5, 1)},
		{"record: a length beyond the frame", record0, append(bytes.Clone(record), 0xff, 0xff, 0xff, 0xff, 0x7f)},
		{"record: a name beyond its limit", record0, tooLong},
		{"record: too large", record0, append(bytes.Clone(record), appendField(nil, make([]byte, MaxRecordLen))...)},
		{"record: labels twice", record0, bytes.Replace(record, []byte("zone"), []byte("gpu0"), 1)},
		{"record: a number written too long", record0, bytes.Replace(record, []byte{2, 0xac, 0x02}, []byte{3, 0xac, 0x82, 0x00}, 1)},
		{"tag: nothing", tag0, nil},
		{"tag: another version", tag0, change(tag, 0, 0)},
		{"tag: cut off", tag0, tag[:len(tag)-1]},
		{"tag: trailing", tag0, append(bytes.Clone(tag), 0)},
		{"tag: a number written too long", tag0, append([]byte{1, 0xac, 0x82, 0x00}, tag[3:]...)},
		{"news: nothing", news0, nil},
		{"news: another version", news0, change(news, 0, 2)},
		{"news: no entry", news0, change(news[:newsHeaderLen], 1, 0)},
		{"news: more entries than bytes", news0, change(news, 1, 3)},
		{"news: trailing", news0, append(bytes.Clone(news), 0)},
		{"news: too large", news0, change(append(bytes.Clone(news), make([]byte, 23*entryLen)...), 1, 25)},
		{"news: surplus and starved", news0, both.encode()},
	} {
		if err := test.decode(test.in); err == nil {
			t.Errorf("decoder: %s was read", test.name)
		}
	}
	for cut := range len(record) {
		if earlier := len(record) - 3; cut != earlier && record0(record[:cut]) == nil { // the speed is a later field
			t.Errorf("decoder: a record cut off at %d was read", cut)
		}
	}
}

func record0(b []byte) error { _, err := DecodeRecord(b); return err }
func tag0(b []byte) error    { _, err := DecodeTag(b); return err }
func news0(b []byte) error   { _, err := decodeNews(b); return err }

func TestRecordsBeyondALimitAreNotAnnounced(t *testing.T) {
	for name, spoil := range map[string]func(*Record){
		"no id":       func(r *Record) { r.ID = "" },
		"addresses":   func(r *Record) { r.Addrs = make([]string, MaxAddrs+1) },
		"a label":     func(r *Record) { r.Labels = map[string]string{"a": strings.Repeat("x", MaxLabelValueLen+1)} },
		"kinds":       func(r *Record) { r.Kinds = make([]string, MaxKinds+1) },
		"cores":       func(r *Record) { r.Cores = -1 },
		"certificate": func(r *Record) { r.Certificate = make([]byte, MaxCertificateLen+1) },
		"all together": func(r *Record) {
			r.Addrs = strings.Split(strings.Repeat(strings.Repeat("x", MaxAddrLen)+",", MaxAddrs-1), ",")[:MaxAddrs]
			r.Name = strings.Repeat("x", MaxNameLen)
		},
		"a long number": func(r *Record) { r.Memory = -1 },
	} {
		r := goldenRecord()
		spoil(&r)
		if _, err := r.Encode(); err == nil {
			t.Errorf("limits: %s: encoded", name)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	r := goldenRecord()
	b, _ := r.Encode()
	f.Add(b)
	f.Add(appendField(b, "later"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRecord(b)
		if err != nil {
			return
		}
		again, err := r.Encode()
		if err != nil {
			t.Fatalf("read, but not written: %v", err)
		}
		if !bytes.HasPrefix(b, again) { // what follows are fields of a later version
			t.Fatalf("two encodings of one record: %x, %x", b, again)
		}
	})
}

func FuzzDecodeTag(f *testing.F) {
	f.Add(goldenTag().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if tag, err := DecodeTag(b); err == nil && !bytes.Equal(tag.Encode(), b) {
			t.Fatalf("two encodings of one tag: %x", b)
		}
	})
}

func FuzzDecodeNews(f *testing.F) {
	f.Add(goldenNews().encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decodeNews(b)
		if err != nil {
			return
		}
		if len(d.entries) > MaxEntries {
			t.Fatalf("%d entries", len(d.entries))
		}
		if again, err := decodeNews(d.encode()); err != nil || !reflect.DeepEqual(again, d) {
			t.Fatalf("%+v, written and read, is %+v, %v", d, again, err)
		}
	})
}

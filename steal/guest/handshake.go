package guest

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/filchsched/filch/steal/core"
)

// Upgrade names this protocol in HTTP's header of the same name.
const Upgrade = "filch-guest/1"

const (
	magic   = "filch-guest\n"
	version = 1

	maxName  = 256 // bytes of a peer's name
	maxText  = 512 // bytes of a refusal
	maxJobs  = 1 << 16
	maxAbout = 256                          // bytes of each text of About
	maxHello = 4 + maxName + 2 + 2*maxAbout // after magic, version and length

	// patience is how long the other side may take over the handshake, and a stream over its
	// first line: both are on one machine.
	patience = 5 * time.Second
)

// ErrRefused is wrapped by the errors of a node that does not take a guest.
var ErrRefused = errors.New("the node takes no guest")

// prefix begins the name of every guest, and of nobody else: those of nodes are libp2p's.
const prefix = "run-"

const idBytes = 16

// NewID returns a name for a guest that nobody has had before.
func NewID() core.PeerID {
	var b [idBytes]byte
	rand.Read(b[:]) // never fails
	return core.PeerID(prefix + hex.EncodeToString(b[:]))
}

// Is tells whether a peer is a guest, of whatever node.
func Is(p core.PeerID) bool {
	rest, ok := strings.CutPrefix(string(p), prefix)
	if !ok || len(rest) != 2*idBytes {
		return false
	}
	return strings.Trim(rest, "0123456789abcdef") == ""
}

// About is what a guest tells of itself for people. It is what its user wrote, so who shows it looks
// at what is in it. What is longer than 256 bytes is cut.
type About struct {
	Job  string // its name
	Runs string // what it runs, such as a command line
}

// A hello is what a guest says of itself.
type hello struct {
	id    core.PeerID
	jobs  int
	about About
}

// A message of the handshake is magic, version, length, and then of the guest: jobs, name, and, if it says
// anything of itself, the length of the job's name, that name, what it runs; of
// the node: 0 and its name, or 1 and why not. A later version may add to the end.
func send(w io.Writer, body []byte) error {
	b := append([]byte(magic), version)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	_, err := w.Write(append(b, body...))
	return err
}

// receive reads a message. who is who sends it, for errors.
func receive(r io.Reader, most int, who string) ([]byte, error) {
	var head [len(magic) + 3]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("%s did not introduce itself: %w", who, err)
	}
	if !bytes.HasPrefix(head[:], []byte(magic)) {
		return nil, fmt.Errorf("%s does not speak this protocol", who)
	}
	if v := head[len(magic)]; v < version {
		return nil, fmt.Errorf("%s speaks version %d, and this filch %d: use the same filch", who, v, version)
	}
	n := int(binary.BigEndian.Uint16(head[len(magic)+1:]))
	if n > most {
		return nil, fmt.Errorf("%s introduces itself with %d bytes: at most %d", who, n, most)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, fmt.Errorf("%s broke off: %w", who, err)
	}
	return body, nil
}

// greet is the guest's side. It returns the node's name.
func greet(conn net.Conn, h hello) (core.PeerID, error) {
	body := binary.BigEndian.AppendUint32(nil, uint32(min(max(h.jobs, 0), maxJobs)))
	body = append(body, h.id...)
	if job := cut(h.about.Job); h.about != (About{}) {
		body = binary.BigEndian.AppendUint16(body, uint16(len(job)))
		body = append(append(body, job...), cut(h.about.Runs)...)
	}
	if err := send(conn, body); err != nil {
		return "", err
	}
	answer, err := receive(conn, 1+maxText, "the node")
	if err != nil {
		return "", err
	}
	switch {
	case len(answer) > 1 && answer[0] == 1:
		return "", fmt.Errorf("%w: %.*q", ErrRefused, maxText, answer[1:])
	case len(answer) < 2 || answer[0] != 0 || len(answer) > 1+maxName:
		return "", errors.New("the node's answer is none")
	}
	return core.PeerID(answer[1:]), nil
}

// welcome reads what a guest says of itself.
func welcome(r io.Reader) (h hello, err error) {
	body, err := receive(r, maxHello, "the guest")
	if err != nil {
		return h, err
	}
	const jobs = 4
	if len(body) < jobs {
		return h, errors.New("the guest's introduction is too short")
	}
	name := body[jobs:]
	about := name[min(len(name), len(prefix)+2*idBytes):]
	name = name[:len(name)-len(about)]
	h = hello{id: core.PeerID(name), jobs: int(binary.BigEndian.Uint32(body))}
	if len(about) > 0 && !h.about.read(about) {
		return h, errors.New("what the guest says of itself is no text")
	}
	switch {
	case !Is(h.id):
		return h, fmt.Errorf("%.40q is no guest's name", string(h.id))
	case h.jobs > maxJobs:
		return h, fmt.Errorf("%d jobs are more than %d", h.jobs, maxJobs)
	}
	return h, nil
}

func (a *About) read(b []byte) bool {
	if len(b) < 2 || len(b)-2 < int(binary.BigEndian.Uint16(b)) {
		return false
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	a.Job, a.Runs = string(b[2:n]), string(b[n:])
	return len(a.Job) <= maxAbout && len(a.Runs) <= maxAbout && utf8.ValidString(a.Job) && utf8.ValidString(a.Runs)
}

// cut makes a text short, and one.
func cut(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxAbout)], "") }

func accept(w io.Writer, self core.PeerID) error { return send(w, append([]byte{0}, self...)) }

func refuse(w io.Writer, why error) error {
	text := why.Error()
	return send(w, append([]byte{1}, text[:min(len(text), maxText)]...))
}

package gossip

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
)

// Records are fetched on a stream of their own: a byte with the number of hashes, the
// hashes; back come, in any order, those records that the peer has, each with its length
// as two bytes, and the end of the stream. Every length is judged before memory is taken.

const (
	// recordTimeout bounds a fetch, at both ends.
	recordTimeout = 10 * time.Second
	// serveAtOnce is how many fetches a node serves at a time; with MaxFetch records of
	// at most MaxRecordLen each it bounds what that costs. Who finds no place asks
	// somebody else.
	serveAtOnce = 16
)

// fetch asks a peer for records and tells the machine what came.
func (c *Cluster) fetch(e core.FetchRecords) {
	from := c.reachable(peer.ID(e.From))
	err := c.fetchFrom(from, e)
	if other, ok := c.present(from); ok && errors.Is(err, errNoWay) {
		// It may have come back at another address, which stands in the very record.
		c.log.Debug("fetching records", "from", from.String(), "error", err)
		from, err = other, c.fetchFrom(other, e)
	}
	if err != nil {
		c.log.Debug("fetching records", "from", from.String(), "error", err)
	}
	c.step(core.FetchEnded{From: e.From})
}

// reachable returns whom to ask: the member that the machine chose, if there is a way to
// it. Where a member is stands in its record, so a newcomer, who has no records yet,
// knows the way to those only that it has met, and any of them may have what it wants.
func (c *Cluster) reachable(chosen peer.ID) peer.ID {
	if c.cfg.Network.Knows(chosen) {
		return chosen
	}
	if other, ok := c.present(chosen); ok {
		return other
	}
	return chosen
}

// errNoWay says that there was no connection to be had.
var errNoWay = errors.New("not reached")

// present returns a member beside this one and another to which there is a way.
func (c *Cluster) present(besides peer.ID) (peer.ID, bool) {
	c.mu.Lock()
	var present []peer.ID
	for _, v := range c.vitals {
		if v.id != c.id && v.id != besides {
			present = append(present, v.id)
		}
	}
	c.mu.Unlock()
	rand.Shuffle(len(present), func(i, j int) { present[i], present[j] = present[j], present[i] })
	for _, id := range present {
		if c.cfg.Network.Knows(id) {
			return id, true
		}
	}
	return "", false
}

// fetchFrom asks a peer. What it brings counts for whom the machine meant to ask.
func (c *Cluster) fetchFrom(from peer.ID, e core.FetchRecords) error {
	hashes := e.Hashes
	if len(hashes) == 0 || len(hashes) > core.MaxFetch {
		return fmt.Errorf("%d hashes", len(hashes))
	}
	ctx, cancel := context.WithTimeout(c.ctx, recordTimeout)
	defer cancel()
	s, err := c.cfg.Network.OpenStream(ctx, from, recordProtocol)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoWay, err)
	}
	defer s.Reset()
	stop := context.AfterFunc(ctx, func() { s.Reset() })
	defer stop()
	ask := []byte{byte(len(hashes))}
	for _, h := range hashes {
		ask = append(ask, h[:]...)
	}
	if _, err := s.Write(ask); err != nil {
		return err
	}
	if err := s.CloseWrite(); err != nil {
		return err
	}
	var bad error
	for range hashes {
		record, err := readRecord(s)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		// One bad record must not keep the others out: it is its owner's fault, most
		// likely, and not that of who passes it on.
		bad = errors.Join(bad, c.takeRecord(e.From, record))
	}
	return bad
}

func readRecord(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[:]))
	if n > core.MaxRecordLen {
		return nil, fmt.Errorf("a record of %d bytes, the most is %d", n, core.MaxRecordLen)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, fmt.Errorf("a record that is cut off: %w", err)
	}
	return b, nil
}

// takeRecord gives the machine a record whose certificate is good, and the network its
// addresses.
func (c *Cluster) takeRecord(from core.ID, encoded []byte) error {
	r, err := core.DecodeRecord(encoded)
	if err != nil {
		return err
	}
	owner := peer.ID(r.ID)
	if err := c.checkCertificate(owner, r.Certificate); err != nil {
		c.mu.Lock()
		c.counts.recordsRefused++
		c.mu.Unlock()
		return fmt.Errorf("the record of %s: %w", owner, err)
	}
	c.step(core.RecordArrived{From: from, Encoded: encoded})
	// Only what the machine believes, because the member's signed tag says so, is where
	// the member is.
	if m, ok := c.Member(owner); ok && m.Record != nil && m.Record.Sequence == r.Sequence && m.Record.Incarnation == r.Incarnation {
		c.cfg.Network.Learn(owner, multiaddrs(m.Record.Addrs))
		c.trans.Reachable(owner)
	}
	return nil
}

// checkCertificate wants a certificate of this cluster for that member. Its expiry is
// judged when a member is admitted, not here: a certificate that runs out must not take a
// live member out of the picture.
func (c *Cluster) checkCertificate(id peer.ID, b []byte) error {
	cert, err := identity.ParseCertificate(b)
	if err != nil {
		return err
	}
	err = cert.Verify(c.cfg.Secret.Cluster(), id, time.Now())
	if expired := (*identity.ExpiredError)(nil); errors.As(err, &expired) {
		return nil
	}
	return err
}

// recordServer bounds how many fetches are served at once.
type recordServer struct {
	mu   sync.Mutex
	busy int
}

func (r *recordServer) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy >= serveAtOnce {
		return false
	}
	r.busy++
	return true
}

func (r *recordServer) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busy--
}

// serveRecords answers a fetch. The network gives it a goroutine.
func (c *Cluster) serveRecords(s Stream) {
	if !c.records.enter() {
		s.Reset()
		return
	}
	defer c.records.leave()
	s.SetDeadline(time.Now().Add(recordTimeout))
	if err := c.serve(s); err != nil {
		c.log.Debug("serving records", "to", s.Peer().String(), "error", err)
		s.Reset()
		return
	}
	s.Close()
}

func (c *Cluster) serve(s Stream) error {
	var count [1]byte
	if _, err := io.ReadFull(s, count[:]); err != nil {
		return err
	}
	if count[0] == 0 || int(count[0]) > core.MaxFetch {
		return fmt.Errorf("%d hashes asked for, the most is %d", count[0], core.MaxFetch)
	}
	hashes := make([]core.Hash, count[0])
	for i := range hashes {
		if _, err := io.ReadFull(s, hashes[i][:]); err != nil {
			return err
		}
	}
	c.mu.Lock()
	records := c.machine.Records(hashes)
	c.mu.Unlock()
	var answer []byte
	for _, r := range records {
		answer = binary.BigEndian.AppendUint16(answer, uint16(len(r)))
		answer = append(answer, r...)
	}
	_, err := s.Write(answer)
	return err
}

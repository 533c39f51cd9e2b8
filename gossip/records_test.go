package gossip

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/filchsched/filch/gossip/core"
	"github.com/filchsched/filch/gossip/identity"
)

// TestRecordWithoutCertificateIsRefused: somebody who knows the gossip key, but whose
// certificate is of another cluster, or of another member, is never more than a name. The
// records of the others get through beside it.
func TestRecordWithoutCertificateIsRefused(t *testing.T) {
	attackedWorld(t, 4, func(w *world) {
		now := time.Now()
		for i, cert := range []identity.Certificate{
			identity.NewSecret().Issue(simIdentity(99, 0).ID(), now, now.Add(time.Hour)),
			w.secret.Issue(w.id(1), now, now.Add(time.Hour)),
		} {
			intruder := &simNode{w: w, i: 4 + i, identity: simIdentity(99, i)}
			w.nodes = append(w.nodes, intruder)
			intruder.net = w.net.Node(intruder.identity.ID())
			cfg := intruder.config()
			cfg.Record.Certificate = cert.Marshal()
			intruder.startWith(cfg)
			if err := intruder.cluster.Join(context.Background(), []peer.AddrInfo{w.seed(0)}); err != nil {
				t.Fatal(err)
			}
		}
		late := &simNode{w: w, i: 6, identity: simIdentity(4, 6)}
		w.nodes = append(w.nodes, late)
		late.start()
		time.Sleep(2 * time.Minute)
		for _, n := range append(w.nodes[:4:4], late) {
			with := 0
			for _, m := range n.cluster.Members() {
				if m.Record != nil {
					with++
				}
				if (m.ID == w.id(4) || m.ID == w.id(5)) && m.Record != nil {
					t.Errorf("node %d believes the record of %s", n.i, m.ID)
				}
			}
			if s := n.cluster.Stats(); with != 5 || s.RecordsRefused == 0 {
				t.Errorf("node %d has %d records, want 5; refused %d", n.i, with, s.RecordsRefused)
			}
		}
	})
}

// TestFetchesAreBounded: who asks for too much, or says nothing, gets nothing; who answers
// with too much is not believed.
func TestFetchesAreBounded(t *testing.T) {
	attackedWorld(t, 2, func(w *world) {
		stranger := w.net.Node(simIdentity(99, 0).ID())
		ask := func(b []byte) ([]byte, error) {
			s, err := stranger.OpenStream(context.Background(), w.id(0), recordProtocol)
			if err != nil {
				t.Fatal(err)
			}
			s.Write(b)
			return io.ReadAll(s)
		}
		for name, b := range map[string][]byte{
			"nothing":         {},
			"no hashes":       {0},
			"too many":        {core.MaxFetch + 1},
			"fewer than said": {2, 1, 2, 3},
		} {
			begun := time.Now()
			if got, err := ask(b); err == nil || len(got) != 0 {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
			if took := time.Since(begun); took > recordTimeout+time.Second {
				t.Errorf("%s: held for %v", name, took)
			}
		}
		if got, err := ask(append([]byte{1}, make([]byte, core.HashLen)...)); err != nil || len(got) != 0 {
			t.Errorf("an unknown hash: %d bytes, %v", len(got), err)
		}
		for range serveAtOnce {
			if _, err := stranger.OpenStream(context.Background(), w.id(0), recordProtocol); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := ask([]byte{1}); err == nil {
			t.Error("more fetches than places are served")
		}
		time.Sleep(2 * recordTimeout)
		if _, err := ask(append([]byte{1}, make([]byte, core.HashLen)...)); err != nil {
			t.Errorf("the places do not become free: %v", err)
		}
	})
	r, w := io.Pipe()
	go w.Write(binary.BigEndian.AppendUint16(nil, core.MaxRecordLen+1))
	if _, err := readRecord(r); err == nil {
		t.Error("an oversized record is read")
	}
	w.Close()
	if _, err := readRecord(r); !errors.Is(err, io.EOF) {
		t.Errorf("the end: %v", err)
	}
}

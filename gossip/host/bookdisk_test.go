package host

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/filchsched/filch/gossip/identity"
)

// A node that is killed soon after it met somebody knows them after its restart: what is on
// disk, with both hosts still open, is what is left of a killed one.
func TestKilledNodeRemembersWhomItMet(t *testing.T) {
	dir := t.TempDir()
	a := start(t, func(c *Config) { c.BookFile = filepath.Join(dir, "a") })
	b := start(t, func(c *Config) { c.BookFile = filepath.Join(dir, "b") })
	connect(t, a, info(b))
	for _, c := range []struct {
		file string
		whom *Host
	}{{"a", b}, {"b", a}} {
		deadline := time.Now().Add(maintainEvery / 2)
		for {
			left, err := openBook(filepath.Join(dir, c.file))
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(left.known(), func(p peer.AddrInfo) bool { return p.ID == c.whom.ID() && len(p.Addrs) > 0 }) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not know the other", c.file)
			}
			time.Sleep(5 * time.Millisecond) // a file tells nobody that it is there
		}
	}
}

// What is new is on disk within a second; a storm of news is written twice a second at the
// most, and meeting an old acquaintance again is not news.
func TestBookIsSavedSoonAndNotTooOften(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(dir, "book")
		b, err := openBook(file)
		if err != nil {
			t.Fatal(err)
		}
		h := &Host{book: b}
		h.ctx, h.stop = context.WithCancel(context.Background())
		h.wg.Go(h.saveNews)
		defer h.wg.Wait()
		defer h.stop()
		writes := 0
		wrote := func() bool {
			synctest.Wait()
			_, err := os.Stat(file)
			os.Remove(file)
			if err == nil {
				writes++
			}
			return err == nil
		}
		id, at := identity.New().ID(), ma.StringCast("/ip4/10.0.0.1/udp/1/quic-v1")
		b.worked(id, at, time.Now())
		time.Sleep(time.Second)
		if !wrote() {
			t.Error("not saved within a second")
		}
		b.worked(id, at, time.Now())
		time.Sleep(5 * time.Second)
		if wrote() {
			t.Error("saved because an acquaintance was met again")
		}
		writes = 0
		for range 100 { // ten seconds
			b.met(identity.New().ID(), []ma.Multiaddr{at}, time.Now())
			time.Sleep(100 * time.Millisecond)
			wrote()
		}
		if writes == 0 || writes > 21 {
			t.Errorf("written %d times in ten seconds", writes)
		}
	})
}

package host

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	// maxBook bounds the peers remembered: a handful would do to find the way
	// back, more of them survive the loss of a rack.
	maxBook = 256
	// maxBookAddrs bounds the addresses of each.
	maxBookAddrs = 8
	// maxBookFile bounds what is read of a file, in bytes.
	maxBookFile = 1 << 20
)

// book remembers peers with the addresses that worked last, and keeps them on
// disk, so that a node that was away finds its cluster again. Safe for concurrent use.
type book struct {
	mu    sync.Mutex
	file  string // "" for none
	dirty bool
	peers map[peer.ID]*page
	news  chan struct{} // has a value when there is a way to a peer that is not on disk
}

type page struct {
	addrs []ma.Multiaddr // the one that worked last first
	at    time.Time
}

// bookFile is the file's form. Unknown fields are ignored.
type bookFile struct {
	Version int        `json:"version"`
	Peers   []bookPeer `json:"peers"` // the latest first
}

type bookPeer struct {
	ID    string    `json:"id"`
	Addrs []string  `json:"addrs"`
	At    time.Time `json:"at"`
}

// openBook reads the file. What cannot be read is left out: a lost book costs
// a search by mDNS or an invitation, and must not keep a node from starting. The
// error is for the log; the book is usable with it.
func openBook(file string) (*book, error) {
	b := &book{file: file, peers: make(map[peer.ID]*page), news: make(chan struct{}, 1)}
	if file == "" {
		return b, nil
	}
	info, err := os.Stat(file)
	if os.IsNotExist(err) {
		return b, nil
	}
	if err == nil && info.Size() > maxBookFile {
		err = fmt.Errorf("%s: %d bytes are too many for an address book; beginning a new one", file, info.Size())
	}
	if err != nil {
		return b, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return b, err
	}
	return b, b.parse(text)
}

func (b *book) parse(text []byte) error {
	var f bookFile
	if err := json.Unmarshal(text, &f); err != nil {
		return fmt.Errorf("%s: no address book (%w); beginning a new one", b.file, err)
	}
	skipped := 0
	for _, p := range f.Peers {
		id, err := peer.Decode(p.ID)
		if err != nil || len(b.peers) >= maxBook {
			skipped++
			continue
		}
		entry := &page{at: p.At}
		for _, s := range p.Addrs {
			if a, err := ma.NewMultiaddr(s); err == nil && len(entry.addrs) < maxBookAddrs {
				entry.addrs = append(entry.addrs, a)
			}
		}
		if len(entry.addrs) == 0 {
			skipped++
			continue
		}
		b.peers[id] = entry
	}
	if skipped > 0 {
		return fmt.Errorf("%s: %d entries of the address book are unreadable, and left out", b.file, skipped)
	}
	return nil
}

// worked remembers that the peer was reached at the address.
func (b *book) worked(id peer.ID, at ma.Multiaddr, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pageLocked(id, now)
	if len(p.addrs) == 0 || !p.addrs[0].Equal(at) {
		b.tellLocked()
	}
	p.addrs = slices.DeleteFunc(p.addrs, at.Equal)
	p.addrs = slices.Insert(p.addrs, 0, at)
	p.addrs = p.addrs[:min(len(p.addrs), maxBookAddrs)]
}

// met remembers a peer that came by itself, with the addresses that it told.
func (b *book) met(id peer.ID, addrs []ma.Multiaddr, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pageLocked(id, now)
	for _, a := range addrs {
		if len(p.addrs) < maxBookAddrs && !slices.ContainsFunc(p.addrs, a.Equal) {
			p.addrs = append(p.addrs, a)
			b.tellLocked()
		}
	}
}

// tellLocked has the book saved soon; that a known peer was met again can wait.
func (b *book) tellLocked() {
	select {
	case b.news <- struct{}{}:
	default:
	}
}

func (b *book) pageLocked(id peer.ID, now time.Time) *page {
	p := b.peers[id]
	if p == nil {
		if len(b.peers) >= maxBook {
			b.dropOldestLocked()
		}
		p = &page{}
		b.peers[id] = p
	}
	p.at, b.dirty = now, true
	return p
}

func (b *book) dropOldestLocked() {
	var oldest peer.ID
	for id, p := range b.peers {
		if oldest == "" || p.at.Before(b.peers[oldest].at) {
			oldest = id
		}
	}
	delete(b.peers, oldest)
}

// forget drops a peer.
func (b *book) forget(id peer.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.peers[id]; known {
		delete(b.peers, id)
		b.dirty = true
	}
}

// known returns all peers, the one met last first. The result is the caller's.
func (b *book) known() []peer.AddrInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.knownLocked()
}

func (b *book) knownLocked() []peer.AddrInfo {
	infos := make([]peer.AddrInfo, 0, len(b.peers))
	for id, p := range b.peers {
		infos = append(infos, peer.AddrInfo{ID: id, Addrs: slices.Clone(p.addrs)})
	}
	slices.SortFunc(infos, func(x, y peer.AddrInfo) int {
		if c := b.peers[y.ID].at.Compare(b.peers[x.ID].at); c != 0 {
			return c
		}
		return slices.Compare([]byte(x.ID), []byte(y.ID))
	})
	return infos
}

// save writes the file if something changed: a new file in place of the old one,
// so that a crash leaves one of them whole.
func (b *book) save() error {
	b.mu.Lock()
	if !b.dirty || b.file == "" {
		b.mu.Unlock()
		return nil
	}
	f := bookFile{Version: 1}
	for _, info := range b.knownLocked() {
		p := bookPeer{ID: info.ID.String(), At: b.peers[info.ID].at.UTC()}
		for _, a := range info.Addrs {
			p.Addrs = append(p.Addrs, a.String())
		}
		f.Peers = append(f.Peers, p)
	}
	b.dirty = false
	b.mu.Unlock()
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return err
	}
	if err := replaceFile(b.file, append(text, '\n')); err != nil {
		b.mu.Lock()
		b.dirty = true // the next save tries again
		b.mu.Unlock()
		return err
	}
	return nil
}

func replaceFile(name string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".new*")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

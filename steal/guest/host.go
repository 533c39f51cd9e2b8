package guest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/libp2p/go-yamux/v5"

	"github.com/filchsched/filch/exec/task"
	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// maxGuests bounds the guests of a node at a time: each costs a connection, a channel of
// heartbeats, and commands.
const maxGuests = 64

// A Host is the node's side: it puts the guests among the node's peers, and has what they
// are home of, and the node runs, executed by them. It implements steal.Network and steal.Executor
// for the node's driver, over those that it was given. All methods may be called concurrently.
type Host struct {
	// ID is the node's name, which guests get to know. It is set before Serve.
	ID core.PeerID
	// Came and Went, if they are not nil, are told of each guest, from its own goroutine. They are set before Serve.
	Came func(core.PeerID, About)
	Went func(core.PeerID)

	base     steal.Network
	exec     steal.Executor
	tell     func(...core.Event) error
	log      *slog.Logger
	handlers *handlers

	mu     sync.Mutex
	guests map[core.PeerID]*visitor
}

// A visitor is a guest that is connected.
type visitor struct {
	session *session
	orders  *queue // what it is told on the exec stream

	mu    sync.Mutex
	gone  bool
	ended map[core.Piece]func(steal.End) // of what it runs
}

// NewHost returns a Host without guests over base, the node's peers, and exec, what the node
// executes itself; either may be nil for a node without. tell is the driver's Tell. A nil log discards.
func NewHost(base steal.Network, exec steal.Executor, tell func(...core.Event) error, log *slog.Logger) *Host {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Host{base: base, exec: exec, tell: tell, log: log, handlers: newHandlers(), guests: make(map[core.PeerID]*visitor)}
}

// Serve is the life of a guest at this node, from the handshake until it is gone or ctx ends.
// The connection is closed when it returns. The error says why somebody was not taken for a guest, or
// was sent away; it is nil for one that left.
func (h *Host) Serve(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })
	defer stop()
	who, err := welcome(conn)
	v := &visitor{ended: make(map[core.Piece]func(steal.End))}
	if err == nil {
		err = h.admit(who.id, v)
	}
	if err != nil {
		refuse(conn, err)
		return fmt.Errorf("guest: %w", err)
	}
	defer h.forget(who.id, v)
	if err := accept(conn, h.name()); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	stop()
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return err
	}
	s, err := newSession(conn, who.id, false)
	if err != nil {
		return err
	}
	defer s.close()
	return h.live(ctx, v, s, who)
}

// unnamed is what a Host without an ID calls itself.
const unnamed = "node"

func (h *Host) name() core.PeerID {
	if h.ID == "" {
		return unnamed
	}
	return h.ID
}

// admit makes room for a guest.
func (h *Host) admit(id core.PeerID, v *visitor) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.guests[id] != nil:
		return errors.New("a guest of this name is here already")
	case len(h.guests) >= maxGuests:
		return fmt.Errorf("%d guests are here already; wait until one has ended", len(h.guests))
	}
	h.guests[id] = v
	return nil
}

func (h *Host) forget(id core.PeerID, v *visitor) {
	h.mu.Lock()
	delete(h.guests, id)
	h.mu.Unlock()
	v.leave()
}

// visitor returns a guest; nil for one that is not here, and during the handshake.
func (h *Host) visitor(id core.PeerID) *visitor {
	if !Is(id) {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if v := h.guests[id]; v != nil && v.session != nil {
		return v
	}
	return nil
}

// live serves a guest that has been admitted.
func (h *Host) live(ctx context.Context, v *visitor, s *session, who hello) error {
	stop := context.AfterFunc(ctx, s.close)
	defer stop()
	if h.Came != nil {
		h.Came(who.id, who.about)
	}
	if h.Went != nil {
		defer h.Went(who.id) // when its streams have ended, its last words among them
	}
	opening, cancel := context.WithTimeout(ctx, patience)
	orders, err := s.open(opening, protocolExec)
	cancel()
	if err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	h.mu.Lock()
	v.session, v.orders = s, newQueue(orders)
	h.mu.Unlock()

	var parts sync.WaitGroup
	defer parts.Wait()
	defer v.orders.close()
	defer s.close()
	parts.Go(v.orders.run)
	parts.Go(func() {
		s.serve(func(protocol string, stream *yamux.Stream) { h.handlers.handle(s, protocol, stream) })
	})
	if err := h.tell(core.Guest{Peer: who.id, Here: true, Jobs: who.jobs}); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	h.log.Debug("a guest is here", "guest", who.id, "jobs", who.jobs, "job", who.about.Job, "runs", who.about.Runs)
	err = v.listen(orders, who.id)
	if e := h.tell(core.Guest{Peer: who.id, Jobs: who.jobs}); e != nil {
		h.log.Debug("a guest is gone, and nobody to tell", "guest", who.id, "err", e)
	}
	select {
	case <-s.over():
		err = nil // it is gone; how, is its own affair
	default:
	}
	h.log.Debug("a guest is gone", "guest", who.id, "err", err)
	return err
}

// listen reads the ends of what the guest runs.
func (v *visitor) listen(orders *yamux.Stream, id core.PeerID) error {
	for {
		f, err := readFrame(orders, id)
		if err != nil {
			return err
		}
		if f.kind != frameEnded && f.kind != frameDeclined {
			return fmt.Errorf("guest: %s gives orders", id)
		}
		v.mu.Lock()
		end := v.ended[f.piece]
		delete(v.ended, f.piece)
		v.mu.Unlock()
		switch {
		case end == nil: // told twice
		case f.kind == frameDeclined:
			end(steal.End{Finished: core.Finished{Piece: f.piece, State: task.Cancelled}})
		default:
			end(byHome(f.piece, f.ran))
		}
	}
}

// leave ends what the guest was running: it is home, and knows what became of it.
func (v *visitor) leave() {
	v.mu.Lock()
	v.gone = true
	left := v.ended
	v.ended = nil
	v.mu.Unlock()
	for p, end := range left {
		end(byHome(p, 0))
	}
}

func byHome(p core.Piece, ran time.Duration) steal.End {
	return steal.End{Finished: core.Finished{Piece: p, Ran: ran}, ByHome: true}
}

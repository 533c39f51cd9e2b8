package guest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// Work passes on what the node lends and halts, until ctx ends or the link is over; tell is
// the Tell of the guest's driver, whose Executor is Executor(x). What runs then goes on; only the guest
// itself is told of its end. It may be called once.
func (l *Link) Work(ctx context.Context, x steal.Executor, tell func(...core.Event) error) error {
	select {
	case stream := <-l.execs:
		back := newQueue(stream)
		l.setBack(back)
		var writer sync.WaitGroup
		writer.Go(back.run)
		stop := context.AfterFunc(ctx, func() { stream.Reset() })
		defer writer.Wait()
		defer stream.Reset()
		defer back.close()
		defer stop()
		return l.obey(ctx, stream, x, tell)
	case <-l.session.over():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// obey reads the node's orders.
func (l *Link) obey(ctx context.Context, orders steal.Stream, x steal.Executor, tell func(...core.Event) error) error {
	for {
		f, err := readFrame(orders, l.self)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && l.isOver():
			return nil
		case err != nil:
			l.session.close() // a node that does not say what to run is none
			return fmt.Errorf("the node's orders broke off: %w", err)
		case f.kind == frameStart:
			l.setLent(f.piece)
			if err := tell(core.Lent{Piece: f.piece}); err != nil {
				return err
			}
		case f.kind == frameHalt:
			x.Halt(f.piece)
		default:
			l.session.close()
			return fmt.Errorf("the node's orders: a frame of kind %d", f.kind)
		}
	}
}

func (l *Link) isOver() bool {
	select {
	case <-l.session.over():
		return true
	default:
		return false
	}
}

func (l *Link) setBack(q *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.back = q
}

func (l *Link) setLent(p core.Piece) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lent[p] = struct{}{}
}

// answer tells the node, once, what became of a piece that it lent.
func (l *Link) answer(kind byte, p core.Piece, ran time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.lent[p]; !ok {
		return
	}
	delete(l.lent, p)
	if l.back != nil {
		l.back.put(frame{kind: kind, piece: p, ran: max(0, ran)})
	}
}

// Declined tells the node that the guest's state machine does not want a piece run that was
// lent: what a steal.Home does with core.Declined.
func (l *Link) Declined(p core.Piece) { l.answer(frameDeclined, p, 0) }

// Executor is x for the guest's driver: when what the node lent has ended, the driver is told first
// and then the node. Without the link it goes on as x.
func (l *Link) Executor(x steal.Executor) steal.Executor { return lentExecutor{x, l} }

type lentExecutor struct {
	steal.Executor
	link *Link
}

// Start implements steal.Executor.
func (x lentExecutor) Start(r steal.Run, end func(steal.End)) {
	x.Executor.Start(r, func(e steal.End) {
		end(e)
		x.link.answer(frameEnded, r.Piece, e.Ran)
	})
}

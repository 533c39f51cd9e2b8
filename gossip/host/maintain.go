package host

import "time"

// maintainEvery is how often the host looks after itself. Nothing in there is
// urgent, and an idle node should sleep.
const maintainEvery = 15 * time.Second

// maintain closes idle connections, follows changes of addresses, and saves the
// book, until the host is closed.
func (h *Host) maintain() {
	ticker := time.NewTicker(maintainEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-h.ctx.Done():
			return
		}
		for _, c := range h.idle.expired(time.Now()) {
			c.Close()
		}
		if h.refreshAddrs() {
			h.sockets.routesChanged()
			if h.lan != nil {
				h.lan.restart()
			}
		}
		h.saveBook()
	}
}

// saveAfter is how soon what is new in the book is saved: a node may be killed at any
// time, and shall find the others without help then. Nor is it written more often.
const saveAfter = 500 * time.Millisecond

// saveNews saves the book after a new peer or address, until the host is closed. What comes
// while it waits is saved together.
func (h *Host) saveNews() {
	timer := time.NewTimer(saveAfter)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-h.book.news:
		case <-h.ctx.Done():
			return
		}
		timer.Reset(saveAfter)
		select {
		case <-timer.C:
		case <-h.ctx.Done():
			return
		}
		h.saveBook()
	}
}

func (h *Host) saveBook() {
	if err := h.book.save(); err != nil {
		h.log.Warn("the book of known peers could not be saved", "error", err)
	}
}

// tickPaths sends repeated probes while some path is in doubt.
func (h *Host) tickPaths() {
	timer := time.NewTimer(probeEvery)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-h.packets.wake:
		case now := <-timer.C:
			if !h.packets.tick(now) {
				continue
			}
		case <-h.ctx.Done():
			return
		}
		timer.Reset(probeEvery / 2)
	}
}

package guest

import (
	"context"
	"fmt"

	"github.com/filchsched/filch/steal"
	"github.com/filchsched/filch/steal/core"
)

// Open implements steal.Network.
func (h *Host) Open(ctx context.Context, to core.PeerID, protocol string) (steal.Stream, error) {
	if v := h.visitor(to); v != nil {
		return v.session.open(ctx, protocol)
	}
	if Is(to) || h.base == nil {
		return nil, fmt.Errorf("guest: %s is not connected here", to)
	}
	return h.base.Open(ctx, to, protocol)
}

// Handle implements steal.Network.
func (h *Host) Handle(protocol string, f func(core.PeerID, steal.Stream)) {
	h.handlers.set(protocol, f)
	if h.base != nil {
		h.base.Handle(protocol, f)
	}
}

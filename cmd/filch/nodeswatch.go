package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/filchsched/filch/node/control"
)

// watchOnTerminal keeps the list on the screen until q or Ctrl-C, and goes on by itself
// when the node is restarted meanwhile.
func watchOnTerminal(ctx context.Context, c *control.Client, terminal *os.File) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p := tea.NewProgram(nodesModel{members: map[string]control.Member{}, width: terminalWidth(terminal)}, tea.WithContext(ctx), tea.WithOutput(terminal))
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		feedNodes(ctx, c, func(m tea.Msg) { p.Send(m) })
	}()
	_, err := p.Run()
	cancel()
	<-fed
	if errors.Is(err, tea.ErrInterrupted) {
		return nil
	}
	return err
}

// refreshPeriod is how often ages, round trips and loads are asked for anew: the node
// tells of changes by itself, but not of each figure.
const refreshPeriod = 2 * time.Second

// feedNodes sends what the node tells, and what it says when asked now and then.
func feedNodes(ctx context.Context, c *control.Client, send func(tea.Msg)) {
	var changes sync.WaitGroup
	defer changes.Wait()
	changes.Go(func() {
		for ctx.Err() == nil {
			feedChanges(ctx, c, send)
			wait(ctx, refreshPeriod) // the node has ended; perhaps it comes back
		}
	})
	for ctx.Err() == nil {
		if members, err := c.Members(ctx); err == nil {
			send(members)
		} else if ctx.Err() == nil {
			send(err)
		}
		wait(ctx, refreshPeriod)
	}
}

// feedChanges sends what changes until the stream ends.
func feedChanges(ctx context.Context, c *control.Client, send func(tea.Msg)) {
	for e, err := range c.Watch(ctx) {
		if err != nil {
			return
		}
		if e.Kind == control.EventChanged || e.Kind == control.EventGone {
			send(e)
		}
	}
}

// wait returns after d, or when ctx is done.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// nodesModel is what is on the screen.
type nodesModel struct {
	members       map[string]control.Member // by ID
	err           error                     // why there is nothing new; nil if there is
	width, height int
	top           int // first line shown
}

// Init begins with nothing to do.
func (m nodesModel) Init() tea.Cmd { return nil }

// Update takes keys, sizes and news.
func (m nodesModel) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q", "ctrl+c", "esc":
			return m, tea.Quit
		case "down", "j":
			m.top++
		case "up", "k":
			m.top--
		case "pgdown", "space":
			m.top += m.height
		case "pgup":
			m.top -= m.height
		}
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case error:
		m.err = msg
	case []control.Member:
		m.err = nil
		m.members = make(map[string]control.Member, len(msg))
		for _, one := range msg {
			m.members[one.ID] = one
		}
	case control.Event:
		m.members = maps.Clone(m.members)
		if msg.Kind == control.EventGone {
			delete(m.members, msg.Node.ID)
		} else {
			m.members[msg.Node.ID] = *msg.Node
		}
	}
	m.top = max(0, min(m.top, len(m.members)+2-m.height))
	return m, nil
}

// View draws the table, cut to the screen.
func (m nodesModel) View() tea.View {
	members := slices.SortedFunc(maps.Values(m.members), func(a, b control.Member) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	lines := strings.Split(strings.TrimSuffix(nodeTable(members), "\n"), "\n")
	last := lines[len(lines)-1] + "   q ends"
	if m.err != nil {
		last = fmt.Sprintf("%v", m.err)
	}
	rows := lines[1 : len(lines)-1]
	if room := m.height - 2; room > 0 && len(rows) > room {
		rows = rows[min(m.top, len(rows)-room):][:room]
	}
	var b strings.Builder
	for _, line := range append(append([]string{lines[0]}, rows...), last) {
		b.WriteString(cut(line, m.width) + "\n")
	}
	v := tea.NewView(strings.TrimSuffix(b.String(), "\n"))
	v.AltScreen = true
	return v
}

// cut shortens a line to the screen's width.
func cut(line string, width int) string {
	runes := []rune(line)
	if width > 0 && len(runes) > width {
		return string(runes[:width])
	}
	return line
}

package transport

import (
	"errors"
	"fmt"
)

// MaxIntent is the latest time of Serf's logical clock at which a member may be said to
// leave. A clock ticks a few times for each member that comes or goes; nobody gets there.
const MaxIntent = 1 << 62

// maxClock is the same for everything else. Whoever is said to leave refutes that with a
// later join, for which there has to be room; and no clock may run over.
const maxClock = MaxIntent + 1<<32

var errIntent = errors.New("a time of Serf's clock that nobody has reached")

// checkSerf judges what memberlist carries for Serf in packets.
func checkSerf(c *cursor) error {
	if len(c.b) == 0 {
		return errors.New("an empty message of Serf's")
	}
	typ := c.b[0]
	if typ != serfLeave && typ != serfJoin {
		return fmt.Errorf("type %d of Serf's, which no member has use for", typ)
	}
	latest := uint64(maxClock)
	if typ == serfLeave {
		latest = MaxIntent
	}
	c.b = c.b[1:]
	return c.fields(func(key string, t token) (bool, error) {
		switch {
		case key == "Prune" && t.num != 0:
			return false, errors.New("an intent to have a member forgotten")
		case key == "LTime" && t.num > latest:
			return false, errIntent
		}
		return false, nil
	})
}

// checkSerfState judges Serf's part of a state.
func checkSerfState(c *cursor) error {
	if c.b[0] != serfPushPull {
		return fmt.Errorf("type %d", c.b[0])
	}
	c.b = c.b[1:]
	var late, left map[string]bool // members whose time is beyond MaxIntent; that left
	err := c.fields(func(key string, t token) (read bool, err error) {
		switch key {
		case "StatusLTimes":
			late, err = lateOnes(c, t)
			return true, err
		case "LeftMembers":
			left, err = names(c, t)
			return true, err
		case "LTime", "EventLTime", "QueryLTime":
			if t.num > maxClock {
				return false, errIntent
			}
		case "Events":
			return true, noEvents(c, t)
		}
		return false, nil
	})
	for name := range late {
		if left[name] && err == nil {
			err = errIntent // Serf takes it for a leave at that time
		}
	}
	if err == nil && len(c.b) != 0 {
		err = errTrailing
	}
	return err
}

// lateOnes reads the map t of members' times, and returns those beyond MaxIntent: none,
// unless somebody forges.
func lateOnes(c *cursor, t token) (map[string]bool, error) {
	if t.kind == kindNil {
		return nil, nil
	}
	if t.kind != kindMap || t.count > MaxMembers {
		return nil, errMsgpack
	}
	late := make(map[string]bool)
	for range t.count {
		name, err := c.next()
		if err != nil {
			return nil, err
		}
		at, err := c.next()
		if err != nil {
			return nil, err
		}
		switch {
		case name.kind != kindText || at.kind == kindMap || at.kind == kindArray:
			return nil, errMsgpack
		case at.num > maxClock:
			return nil, errIntent
		case at.num > MaxIntent-1: // Serf adds one
			late[string(name.text)] = true
		}
	}
	return late, nil
}

// names reads the array t of names.
func names(c *cursor, t token) (map[string]bool, error) {
	if t.kind == kindNil {
		return nil, nil
	}
	if t.kind != kindArray || t.count > MaxMembers {
		return nil, errMsgpack
	}
	all := make(map[string]bool)
	for range t.count {
		name, err := c.next()
		if err != nil {
			return nil, err
		}
		if name.kind != kindText || len(name.text) > maxName {
			return nil, errMsgpack
		}
		all[string(name.text)] = true
	}
	return all, nil
}

// noEvents wants the buffer of user events empty: nobody sends any.
func noEvents(c *cursor, t token) error {
	if t.kind == kindMap {
		return errMsgpack
	}
	for range t.count {
		e, err := c.next()
		if err != nil {
			return err
		}
		if e.kind != kindNil {
			return errors.New("user events, which no member sends")
		}
	}
	return nil
}

package transport

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// memberlist's types of messages (its net.go), part of its protocol.
const (
	typePing         = 0
	typeIndirectPing = 1
	typeAck          = 2
	typeSuspect      = 3
	typeAlive        = 4
	typeDead         = 5
	typePushPull     = 6
	typeCompound     = 7
	typeUser         = 8
	typeNack         = 11
	typeCRC          = 12
	typeError        = 13
)

// Serf's types of messages (its messages.go) that a cluster of ours uses: intents to leave
// and join, and the state in a push/pull. It has no user events and no queries; Serf's own
// queries would let any member install gossip keys.
const (
	serfLeave    = 0
	serfJoin     = 1
	serfPushPull = 2
)

// MaxMembers is how many members one exchange of the whole state may have, failed and
// left ones included. The design is for 10,000.
const MaxMembers = 32768

// A Passing is a message about a member's life that went by, in or out.
type Passing struct {
	Kind        PassingKind
	Node        string // whom it is about, a member's name
	From        string // who says so; suspicions and deaths only
	Incarnation uint32 // memberlist's, of Node
	Meta        string // Node's tags as memberlist has them; of members in a state only
	Itself      bool   // Node says so, on a stream of its own
}

// PassingKind says what a Passing says.
type PassingKind byte

// What can be said of a member.
const (
	Suspected PassingKind = iota + 1 // From got no answer from it
	Alive                            // it is there, says it itself
	Dead                             // From gave it up; it left, if From is Node
	Left                             // a state has it as one that left
)

// seen is what the check of a message has learnt by the way.
type seen struct {
	passing []Passing
	sender  string   // name of who sent it, if it says so, as pings do
	pings   []uint32 // sequence numbers of pings
	asked   []uint32 // sequence numbers of pings that another is asked to send
	askedOf []string // names of those who are to be pinged by another
	acks    []uint32 // sequence numbers of answers
}

var errTrailing = errors.New("bytes after the end of a message")

// checkPacket judges a packet of memberlist's before memberlist decodes it.
func checkPacket(b []byte, s *seen) error {
	if len(b) > 5 && b[0] == typeCRC {
		if crc32.ChecksumIEEE(b[5:]) != binary.BigEndian.Uint32(b[1:5]) {
			return errors.New("wrong checksum")
		}
		b = b[5:]
	}
	if len(b) > 0 && b[0] == typeCompound {
		return checkCompound(b[1:], s)
	}
	return checkMessage(b, s)
}

// checkCompound judges several messages in one packet: a count, their lengths, and they.
// Compounds do not nest.
func checkCompound(b []byte, s *seen) error {
	if len(b) < 1 || len(b) < 1+2*int(b[0]) {
		return errors.New("a cut off compound message")
	}
	n := int(b[0])
	lengths, b := b[1:1+2*n], b[1+2*n:]
	for i := range n {
		length := int(binary.BigEndian.Uint16(lengths[2*i:]))
		if length > len(b) {
			return errors.New("a cut off compound message")
		}
		if err := checkMessage(b[:length], s); err != nil {
			return err
		}
		b = b[length:]
	}
	if len(b) != 0 {
		return errTrailing
	}
	return nil
}

// checkMessage judges one message: a type and a structure, nothing after it.
func checkMessage(b []byte, s *seen) error {
	if len(b) == 0 {
		return errors.New("an empty message")
	}
	c := cursor{b[1:]}
	var err error
	switch b[0] {
	case typePing, typeIndirectPing:
		err = c.fields(func(key string, t token) (bool, error) {
			switch {
			case key == "SourceNode":
				s.sender = string(t.text)
			case key == "SeqNo" && b[0] == typePing:
				s.pings = append(s.pings, uint32(t.num))
			case key == "SeqNo":
				s.asked = append(s.asked, uint32(t.num))
			case key == "Node" && b[0] == typeIndirectPing:
				s.askedOf = append(s.askedOf, string(t.text))
			}
			return false, nil
		})
	case typeAck:
		err = c.fields(func(key string, t token) (bool, error) {
			if key == "SeqNo" {
				s.acks = append(s.acks, uint32(t.num))
			}
			return false, nil
		})
	case typeNack, typeError:
		err = c.fields(nothing)
	case typeSuspect, typeAlive, typeDead:
		err = checkLife(&c, b[0], s)
	case typeUser:
		err = checkSerf(&c)
	default:
		return fmt.Errorf("a message of type %d", b[0])
	}
	if err == nil && len(c.b) != 0 {
		err = errTrailing
	}
	if err != nil {
		return fmt.Errorf("a message of type %d: %w", b[0], err)
	}
	return nil
}

func nothing(string, token) (bool, error) { return false, nil }

func checkLife(c *cursor, typ byte, s *seen) error {
	p := Passing{Kind: map[byte]PassingKind{typeSuspect: Suspected, typeAlive: Alive, typeDead: Dead}[typ]}
	err := c.fields(func(key string, t token) (bool, error) {
		switch key {
		case "Node", "From":
			if t.kind != kindText || len(t.text) > maxName {
				return false, errMsgpack
			}
			if key == "Node" {
				p.Node = string(t.text)
			} else {
				p.From = string(t.text)
			}
		case "Incarnation":
			if t.num > math.MaxUint32 {
				return false, errMsgpack
			}
			p.Incarnation = uint32(t.num)
		}
		return false, nil
	})
	if err == nil && p.Kind != Alive && p.Incarnation > maxAccused {
		err = errAccused
	}
	s.passing = append(s.passing, p)
	return err
}

// maxAccused bounds the incarnation in suspicions and deaths. Who is accused refutes with
// one more; at the end of the 32 bits that would be zero, and it could not refute again.
// (An announcement has to be let through with any incarnation. A member that repeats
// another's with the highest one there is can still wedge it so.)
const maxAccused = math.MaxUint32 - 1<<16

var errAccused = errors.New("an accusation with an incarnation that nobody has reached")

// checkFrame judges what came on a stream.
func checkFrame(b []byte, s *seen) error {
	if len(b) > 0 && b[0] == typePushPull {
		return checkPushPull(&cursor{b[1:]}, s)
	}
	if len(b) > 0 && b[0] != typePing && b[0] != typeAck && b[0] != typeError {
		return fmt.Errorf("a message of type %d on a stream", b[0])
	}
	return checkMessage(b, s)
}

// checkPushPull judges the exchange of the whole state: a header, as many members as it
// says, and as many bytes of Serf's as it says.
func checkPushPull(c *cursor, s *seen) error {
	var members, user uint64
	err := c.fields(func(key string, t token) (bool, error) {
		switch key {
		case "Nodes":
			members = t.num
		case "UserStateLen":
			user = t.num
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("the head of a state: %w", err)
	}
	if members > MaxMembers {
		return fmt.Errorf("a state of %d members, the most is %d", members, MaxMembers)
	}
	for range members {
		if err := checkState(c, s); err != nil {
			return fmt.Errorf("a member in a state: %w", err)
		}
	}
	if uint64(len(c.b)) != user {
		return errTrailing
	}
	if user == 0 {
		return nil
	}
	if err := checkSerfState(c); err != nil {
		return fmt.Errorf("a state's part of Serf's: %w", err)
	}
	return nil
}

// checkState judges one member in a state. memberlist takes "dead" there for a suspicion.
func checkState(c *cursor, s *seen) error {
	var p Passing
	state := uint64(memberLeft)
	err := c.fields(func(key string, t token) (bool, error) {
		switch key {
		case "Name":
			if t.kind != kindText || len(t.text) > maxName {
				return false, errMsgpack
			}
			p.Node = string(t.text)
		case "Incarnation":
			if t.num > math.MaxUint32 {
				return false, errMsgpack
			}
			p.Incarnation = uint32(t.num)
		case "Meta":
			p.Meta = string(t.text)
		case "State":
			state = t.num
		}
		return false, nil
	})
	if err == nil && state != memberAlive && p.Incarnation > maxAccused {
		err = errAccused
	}
	switch state {
	case memberAlive:
		p.Kind = Alive
	case memberLeft:
		p.Kind = Left
	case memberSuspect, memberDead:
		p.Kind = Suspected
	default:
		return err
	}
	s.passing = append(s.passing, p)
	return err
}

// memberlist's states of a member (its state.go).
const (
	memberAlive   = 0
	memberSuspect = 1
	memberDead    = 2
	memberLeft    = 3
)

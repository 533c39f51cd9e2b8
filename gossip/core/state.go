package core

// A State is what the failure detector makes of a member.
type State uint8

// The states of a member. Alive and Suspect members are present: they count in
// the digest, are told news and are asked for work.
const (
	Alive   State = iota + 1 // answers probes
	Suspect                  // missed its probes and may still refute
	Left                     // said goodbye
	Failed                   // declared dead
)

// String returns the state's lower-case name.
func (s State) String() string {
	switch s {
	case Alive:
		return "alive"
	case Suspect:
		return "suspect"
	case Left:
		return "left"
	case Failed:
		return "failed"
	}
	return "unknown"
}

// Present reports whether a member in this state is taken to be there.
func (s State) Present() bool { return s == Alive || s == Suspect }

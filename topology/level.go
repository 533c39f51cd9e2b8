package topology

import "fmt"

// A Level says how far apart two places are: the nearest thing that they
// share. Levels are totally ordered, nearest first, and a smaller Level is
// always the cheaper one to steal across. LevelCore is the level of two
// hardware threads of one core, LevelRack that of two hosts in one rack.
//
// The order is fixed even where hardware nests the other way round (several
// NUMA nodes behind one cache, or a node that spans several packages): the
// distance of two CPUs is the least level among all that they share.
type Level uint8

// The levels, nearest first. The numbers are part of the API: they travel on
// the wire and index arrays of NumLevels elements.
const (
	LevelSelf   Level = iota // one and the same place
	LevelCore                // hardware threads (SMT siblings) of one core
	LevelLLC                 // cores behind one last-level cache
	LevelNUMA                // CPUs of one NUMA node
	LevelSocket              // CPUs of one package
	LevelHost                // anything on one machine
	LevelRack                // machines in one rack
	LevelZone                // machines in one zone
	LevelRemote              // nothing known to be shared

	// NumLevels is how many levels there are, for arrays indexed by Level.
	NumLevels = int(LevelRemote) + 1
)

var levelNames = [NumLevels]string{
	"self", "core", "llc", "numa", "socket", "host", "rack", "zone", "remote",
}

// String returns the level's lower-case name, or "level(n)" for a number that
// is no level.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("level(%d)", uint8(l))
}

// Valid reports whether l is one of the named levels.
func (l Level) Valid() bool { return int(l) < NumLevels }

// ParseLevel is the inverse of String. Names are lower case.
func ParseLevel(name string) (Level, error) {
	for i, n := range levelNames {
		if n == name {
			return Level(i), nil
		}
	}
	return 0, fmt.Errorf("topology: %q is no level (want one of %v)", name, levelNames)
}

// MarshalText writes the level's name; a number that is no level is an error.
func (l Level) MarshalText() ([]byte, error) {
	if !l.Valid() {
		return nil, fmt.Errorf("topology: cannot write %v: no such level", l)
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads a level's name.
func (l *Level) UnmarshalText(text []byte) error {
	v, err := ParseLevel(string(text))
	if err != nil {
		return err
	}
	*l = v
	return nil
}

package topology

import (
	"encoding/json"
	"slices"
	"testing"
)

// The numbers travel on the wire: adding a level must not move the others.
func TestLevelOrderIsFixed(t *testing.T) {
	want := []string{"self", "core", "llc", "numa", "socket", "host", "rack", "zone", "remote"}
	var got []string
	for l := range Level(NumLevels) {
		got = append(got, l.String())
		back, err := ParseLevel(l.String())
		if err != nil || back != l {
			t.Errorf("ParseLevel(%q) = %v, %v", l.String(), back, err)
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("levels %v, want %v", got, want)
	}
	if LevelSelf != 0 || LevelRemote != 8 {
		t.Fatal("levels were renumbered")
	}
}

func TestLevelText(t *testing.T) {
	b, err := json.Marshal(map[string]Level{"a": LevelRack})
	if err != nil || string(b) != `{"a":"rack"}` {
		t.Fatalf("%s, %v", b, err)
	}
	var back map[string]Level
	if err := json.Unmarshal(b, &back); err != nil || back["a"] != LevelRack {
		t.Fatalf("%v, %v", back, err)
	}
	if _, err := ParseLevel("Rack"); err == nil {
		t.Error("a name in upper case was accepted")
	}
	if err := json.Unmarshal([]byte(`{"a":"galaxy"}`), &back); err == nil {
		t.Error("an unknown name was accepted")
	}
	if _, err := Level(42).MarshalText(); err == nil || Level(42).Valid() || Level(42).String() != "level(42)" {
		t.Error("level 42 passes for a level")
	}
}

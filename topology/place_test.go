package topology

import "testing"

func TestDistanceOfPlaces(t *testing.T) {
	top := mustRead(t, loadMachine(t, "server-2s16c32t"))
	cpu := func(os int) *CPU {
		c, ok := top.CPU(os)
		if !ok {
			t.Fatalf("no CPU %d", os)
		}
		return &c
	}
	a := Place{Zone: "z", Rack: "r", Host: "a"}
	on := func(p Place, c *CPU) Place { p.CPU = c; return p }
	for _, c := range []struct {
		name string
		a, b Place
		want Level
	}{
		{"the zero place", Place{}, Place{}, LevelSelf},
		{"two CPUs without labels", Place{CPU: cpu(0)}, Place{CPU: cpu(2)}, LevelLLC},
		{"one CPU", on(a, cpu(1)), on(a, cpu(1)), LevelSelf},
		{"SMT siblings", on(a, cpu(1)), on(a, cpu(17)), LevelCore},
		{"two sockets", on(a, cpu(0)), on(a, cpu(1)), LevelHost},
		{"a machine and its CPU", a, on(a, cpu(1)), LevelHost},
		{"same number on another host", on(a, cpu(1)), on(Place{Zone: "z", Rack: "r", Host: "b"}, cpu(1)), LevelRack},
		{"another rack", a, Place{Zone: "z", Rack: "s", Host: "b"}, LevelZone},
		{"a rack of the same name elsewhere", a, Place{Zone: "y", Rack: "r", Host: "b"}, LevelRemote},
		{"unknown racks are not one rack", Place{Zone: "z", Host: "a"}, Place{Zone: "z", Host: "b"}, LevelZone},
		{"unknown zones are not one zone", Place{Host: "a"}, Place{Host: "b"}, LevelRemote},
		{"a labelled rack without zones", Place{Rack: "r", Host: "a"}, Place{Rack: "r", Host: "b"}, LevelRack},
	} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if Distance(c.a, c.b) != Distance(c.b, c.a) {
			t.Errorf("%s: not symmetric", c.name)
		}
	}
}

// Every combination of few labels, with and without CPUs: groups must nest.
func TestDistanceOfPlacesIsAnUltrametric(t *testing.T) {
	top := mustRead(t, loadMachine(t, "offline-3of8"))
	var places []Place
	for _, zone := range []string{"", "y", "z"} {
		for _, rack := range []string{"", "r", "s"} {
			for _, host := range []string{"", "a", "b"} {
				p := Place{Zone: zone, Rack: rack, Host: host}
				places = append(places, p)
				for i := range top.CPUs[:3] {
					p.CPU = &top.CPUs[i]
					places = append(places, p)
				}
			}
		}
	}
	for i, a := range places {
		for j, b := range places {
			ab := Distance(a, b)
			if ab != Distance(b, a) || (ab == LevelSelf) != (i == j) || !ab.Valid() {
				t.Fatalf("%v %v: %v, back %v", a, b, ab, Distance(b, a))
			}
			for _, c := range places {
				if ac, bc := Distance(a, c), Distance(b, c); ac > max(ab, bc) {
					t.Fatalf("%v to %v is %v, by way of %v %v and %v", a, c, ac, b, ab, bc)
				}
			}
		}
	}
}

package proc

// starters returns every starter of this system. Each Runner needs new ones.
func starters() []namedStarter {
	return []namedStarter{
		{"supervised", newStarter()},
		{"direct", pidfdStarter{}},
		{"portable", portableStarter{}},
	}
}

// Package nodetest has clusters of nodes for tests of programs that use package node: in memory, in the
// process of the test, without ports or files. They run under the race detector and inside testing/synctest, where
// leases and time-outs cost no time.
//
//	func TestResize(t *testing.T) {
//		c := nodetest.Start(t, 3)
//		got, err := Resize.Call(t.Context(), c.Node(0), image)
//		…
//	}
//
// Every call is encoded and decoded, wherever it runs (node.Config.EncodeAlways), so that what does not travel, and a
// function that changes its argument, is found on one machine.
//
// A cluster can lose nodes (Kill), be cut in two (Cut, Heal) and grow (Add). A killed node vanishes without a word,
// as one whose power fails; Node.Drain is the goodbye.
package nodetest

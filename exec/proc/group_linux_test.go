package proc

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseStat(t *testing.T) {
	for stat, want := range map[string]processStat{
		"12 (sleep) S 1 7 7 0 -1":       {12, 1, 7, false},
		"12 (a) b (c) R 3 7 7 0":        {12, 3, 7, false},
		"12 (x) Z 1 9) D 1 7 7":         {12, 1, 7, false},
		"12 (sleep) Z 1 7 7 0 -1":       {12, 1, 7, true},
		"12 (sleep) X 1 7 7 0 -1":       {12, 1, 7, true},
		"12 (sleep) S 7 8 7 0 -1":       {12, 7, 8, false},
		"12 (sleep) S 1":                {},
		"12 (sleep) S 1 seven":          {},
		"x (sleep) S 1 7":               {},
		"12 (sleep)":                    {},
		"":                              {},
		"nonsense without any brackets": {},
	} {
		if got, ok := parseStat([]byte(stat)); got != want || ok != (want != processStat{}) {
			t.Errorf("parseStat(%q) = %+v, %v", stat, got, ok)
		}
	}
}

func TestZombiesDoNotLive(t *testing.T) {
	cmd := exec.Command("cat")
	cmd.SysProcAttr = ownGroup()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	pid := cmd.Process.Pid
	if !groupLives(pid) {
		t.Error("a process that waits for input does not live")
	}
	in.Close()
	if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if groupLives(pid) {
		t.Error("a zombie lives")
	}
}

package compose

import (
	"encoding/json"
	"flag"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func small() *Plan {
	return &Plan{Project: "filch", Racks: 2, PerRack: 2, CPUs: 1, SlowCPUs: 0.25, Subnet: netip.MustParsePrefix("10.77.0.0/16"), User: "1000:1000"}
}

// TestGolden: what a plan becomes.
func TestGolden(t *testing.T) {
	program := small()
	program.Program, program.SlowCPUs, program.Racks = []string{"/bin/program", "--workers", "1"}, 0, 1
	for name, got := range map[string][]byte{
		"two-racks.yml": small().File(), "program.yml": program.File(), "prometheus.yml": small().Scrape(),
	} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || string(want) != string(got) {
			t.Errorf("%s (%v), -update writes it anew:\n%s", name, err, got)
		}
	}
}

// TestPlansThatCannotBe: each is refused, and says what is wrong.
func TestPlansThatCannotBe(t *testing.T) {
	if err := small().Check(); err != nil {
		t.Fatal(err)
	}
	for says, change := range map[string]func(*Plan){
		`project "Filch"`: func(p *Plan) { p.Project = "Filch" },
		"0 racks":         func(p *Plan) { p.Racks = 0 },
		"in each of 2":    func(p *Plan) { p.PerRack = MaxNodes },
		"CPUs per node":   func(p *Plan) { p.CPUs = 0 },
		"the slow node":   func(p *Plan) { p.SlowCPUs = -1 },
		"subnet":          func(p *Plan) { p.Subnet = netip.MustParsePrefix("10.77.1.0/24") },
		"user":            func(p *Plan) { p.User = "me\nroot: x" },
	} {
		p := small()
		change(p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// TestAddressesAreNobodyElses: at the largest size no two nodes share one, and none leaves its network.
func TestAddressesAreNobodyElses(t *testing.T) {
	p := small()
	for _, size := range [][2]int{{1, MaxNodes}, {MaxRacks, MaxNodes / MaxRacks}} {
		p.Racks, p.PerRack = size[0], size[1]
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		seen := make(map[netip.Addr]string)
		for _, n := range p.Nodes() {
			for addr, in := range map[netip.Addr]netip.Prefix{n.RackAddr: p.network(n.Rack), n.BackboneAddr: p.network(backboneByte)} {
				if seen[addr] != "" || !in.Contains(addr) {
					t.Errorf("%s has %v, as has %q; its network is %v", n.Name, addr, seen[addr], in)
				}
				seen[addr] = n.Name
			}
		}
	}
}

// TestDashboardAsksForWhatThereIs: every metric in the dashboard is in docs/metrics.md, or comes with Prometheus' client.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	if !json.Valid(Dashboard) {
		t.Fatal("the dashboard is no JSON")
	}
	page, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`\b(filch|process|go)_[a-z_]+`).FindAllString(string(Dashboard), -1)
	if len(found) < 10 {
		t.Errorf("only %d metrics in the dashboard", len(found))
	}
	documented := regexp.MustCompile(`filch_[a-z_]+`).FindAllString(string(page), -1)
	for _, name := range found {
		name = strings.TrimSuffix(name, "_bucket")
		known := strings.HasPrefix(name, "process_")
		for _, d := range documented {
			known = known || d == name
		}
		if !known {
			t.Errorf("%s is not in docs/metrics.md", name)
		}
	}
}

// TestWriteKeepsWhatIsNotItsOwn: a directory with something else in it is left alone, and a secret is made once.
func TestWriteKeepsWhatIsNotItsOwn(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := static(self, ""); err != nil {
		t.Skip("the test binary is not static: ", err)
	}
	dir, parts := t.TempDir(), Parts{Filch: self}
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := small().Write(dir, parts, ""); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a directory with something in it: %v", err)
	}
	dir = filepath.Join(t.TempDir(), "new")
	var joins []string
	for range 2 {
		if err := small().Write(dir, parts, ""); err != nil {
			t.Fatal(err)
		}
		join, err := os.ReadFile(filepath.Join(dir, "join"))
		if err != nil {
			t.Fatal(err)
		}
		joins = append(joins, string(join))
	}
	if joins[0] != joins[1] {
		t.Error("the second time the cluster's secret is another one")
	}
	for _, secret := range []string{"join", "token", "token.env"} {
		if about, err := os.Stat(filepath.Join(dir, secret)); err != nil || about.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", secret, about.Mode(), err)
		}
	}
	file, err := os.ReadFile(filepath.Join(dir, FileName))
	if err != nil || strings.Contains(string(file), strings.TrimSpace(joins[0])) {
		t.Errorf("the compose file has the secret (%v)", err)
	}
}

// TestProgramsThatCannotRunThere are refused before an image is built.
func TestProgramsThatCannotRunThere(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := static(script, ""); err == nil || !strings.Contains(err.Error(), "no executable file of Linux") {
		t.Error(err)
	}
	hello := filepath.Join(t.TempDir(), "hello.go")
	if err := os.WriteFile(hello, []byte("package main\n\nfunc main() {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-o", program, hello)
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := static(program, "arm64"); err != nil {
		t.Error(err)
	}
	if err := static(program, "amd64"); err == nil || !strings.Contains(err.Error(), "GOARCH=amd64") {
		t.Errorf("a program for another architecture: %v", err)
	}
}

// TestComposeTakesTheFile: docker-compose reads the file, where it is installed.
func TestComposeTakesTheFile(t *testing.T) {
	name, err := exec.LookPath("docker-compose")
	if err != nil {
		t.Skip("there is no docker-compose here")
	}
	dir := t.TempDir()
	for file, text := range map[string]string{FileName: string(small().File()), "token.env": "A=b\n", "join": "", "token": ""} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, profile := range []string{"none", MetricsProfile} {
		c := exec.Command(name, "--profile", profile, "config")
		c.Dir = dir
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "ipv4_address: 10.77.255.14") {
			t.Errorf("profile %s: %v\n%s", profile, err, out)
		}
	}
}

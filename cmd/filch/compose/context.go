package compose

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/filchsched/filch/gossip/identity"
)

// dataDir is where a node keeps what it is, in its container.
const dataDir = "/node/data"

// dockerfile makes an image of what is in root/. Its whole content is ours: no system, and a shell only
// if there was one to put in.
const dockerfile = header + `FROM scratch
COPY root/ /
ENV PATH=/bin HOME=/tmp FILCH_DATA_DIR=` + dataDir + `
ENTRYPOINT ["/bin/filch"]
CMD ["up"]
`

// dockerignore keeps the secret, and the shared files, from what the engine is sent to build the image.
const dockerignore = header + "*\n!root\n!Dockerfile\n"

// applets are the programs that the image has by busybox's.
var applets = strings.Fields(`sh ash awk base64 basename bunzip2 bzip2 cat chmod cksum cmp cp cut date dd df diff dirname du echo
	env expr false find grep gunzip gzip head hostname id ip kill ln ls md5sum mkdir mktemp mv nice nslookup od ping printf ps pwd
	rm sed seq sh sha1sum sha256sum sleep sort stat tac tail tar tee test timeout top touch tr true tty uname uniq wc wget
	which xargs zcat`)

// Parts are the programs in the image, each a static executable file of Linux for the engine's architecture.
type Parts struct {
	Filch    string
	Busybox  string   // "": the image has no shell
	Programs []string // others, in /bin by their base names
}

// Write puts a testbed into a directory: the compose file, the image's build context, what Prometheus and Grafana
// read, the shared directory, and the secret of a new cluster, or the one that is there already. It refuses a directory with anything
// else in it. arch is the engine's architecture as Go calls it; "" is not looked at.
func (p *Plan) Write(dir string, parts Parts, arch string) error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := parts.check(arch); err != nil {
		return err
	}
	if err := ours(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(dir, "root")); err != nil {
		return err
	}
	for _, f := range []struct {
		name, text string
	}{
		{FileName, string(p.File())},
		{".env", header + "COMPOSE_PROJECT_NAME=" + p.Project + "\n"},
		{"Dockerfile", dockerfile},
		{".dockerignore", dockerignore},
		{"metrics/prometheus.yml", string(p.Scrape())},
		{"metrics/grafana/datasources/testbed.yml", dataSource},
		{"metrics/grafana/dashboards/testbed.yml", dashboards},
		{"metrics/grafana/dashboards/filch.json", string(Dashboard)},
	} {
		if err := write(filepath.Join(dir, f.name), f.text, 0o644); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "files"), 0o755); err != nil {
		return err
	}
	if err := secrets(dir); err != nil {
		return err
	}
	return parts.lay(filepath.Join(dir, "root"))
}

// FileName is what the compose file is called: both versions find it.
const FileName = "docker-compose.yml"

// ours tells why a directory cannot be written to.
func ours(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, FileName))
	if err == nil && strings.HasPrefix(string(b), header) {
		return nil
	}
	if err == nil {
		return fmt.Errorf("%s: there is a %s of somebody else's: choose another directory", dir, FileName)
	}
	all, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(dir, 0o755)
	case err != nil:
		return err
	case len(all) > 0:
		return fmt.Errorf("%s: it is not empty and holds no testbed: choose another directory", dir)
	}
	return nil
}

func write(path, text string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), mode)
}

// secrets makes the cluster's secret, and the token of the control API, where there are none. The
// join string names no member: nodes find each other on their networks, by mDNS.
func secrets(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "join")); err == nil {
		return nil
	}
	token := identity.NewSecret().Encode()
	for name, text := range map[string]string{
		"token":     token,
		"token.env": "FILCH_CONTROL_TOKEN=" + token + "\n",
		"join":      identity.Invitation{Secret: identity.NewSecret()}.Encode() + "\n",
	} {
		if err := write(filepath.Join(dir, name), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// check refuses programs that would not start in the image.
func (s *Parts) check(arch string) error {
	for _, path := range append([]string{s.Filch, s.Busybox}, s.Programs...) {
		if path == "" {
			continue
		}
		if err := static(path, arch); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

// machines are the architectures of Go that have engines.
var machines = map[string]elf.Machine{
	"386": elf.EM_386, "amd64": elf.EM_X86_64, "arm": elf.EM_ARM, "arm64": elf.EM_AARCH64, "riscv64": elf.EM_RISCV,
	"ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390,
}

// static tells why a file cannot run in an image without libraries.
func static(path, arch string) error {
	f, err := elf.Open(path)
	var format *elf.FormatError
	if errors.As(err, &format) || errors.Is(err, io.EOF) {
		return errors.New("it is no executable file of Linux; build one with GOOS=linux")
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if want, known := machines[arch]; known && f.Machine != want {
		return fmt.Errorf("it is for %v, and the Docker engine is %s: build it with GOARCH=%[2]s", f.Machine, arch)
	}
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_INTERP {
			return errors.New("it needs libraries that the image does not have: build it with CGO_ENABLED=0, as make build does")
		}
	}
	return nil
}

// lay makes the image's files. Whoever the nodes run as makes the data directory and scratch files.
func (s *Parts) lay(root string) error {
	for _, dir := range []string{"bin", "tmp", filepath.Dir(dataDir), Shared, "etc"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	for _, dir := range []string{"tmp", filepath.Dir(dataDir)} {
		if err := os.Chmod(filepath.Join(root, dir), fs.ModeSticky|0o777); err != nil {
			return err
		}
	}
	put := map[string]string{"filch": s.Filch}
	for _, p := range s.Programs {
		put[filepath.Base(p)] = p
	}
	if s.Busybox != "" {
		put["busybox"] = s.Busybox
		for _, a := range applets {
			if err := os.Symlink("busybox", filepath.Join(root, "bin", a)); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
	}
	for name, from := range put {
		if err := copyFile(filepath.Join(root, "bin", name), from); err != nil {
			return err
		}
	}
	return nil
}

// copyFile copies a program with its time, so that the engine sees that nothing has changed.
func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	about, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	return os.Chtimes(to, about.ModTime(), about.ModTime())
}

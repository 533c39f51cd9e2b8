package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/filchsched/filch/node"
	"github.com/filchsched/filch/node/control"
)

// upOptions are the flags of up. What they say is kept as text and read together with
// what the environment and the file say, so that all three are judged alike.
type upOptions struct {
	configFile string
	level      logLevel
	flags      *pflag.FlagSet
}

// defaultPort is node.DefaultPort in the help.
var defaultPort = strconv.Itoa(node.DefaultPort)

// upFlags are those flags of up that are settings of a node, with what the help says.
var upFlags = [...]struct{ name, help string }{
	{"join", "join the cluster of a join `STRING`; may be repeated; - reads standard input. Visible to all users of the machine: prefer --join-file"},
	{"join-file", "read join strings from `FILE`, one per line; - is standard input"},
	{"listen", "where others reach this node: `HOST:PORT`, one port for UDP and TCP, 0 picks one; may be repeated (default: port " + defaultPort + " of the addresses that the Internet does not route)"},
	{"label", "`KEY=VALUE` of this node, as rack=r1; rack and zone say how far it is from others; may be repeated"},
	{"data-dir", "`DIR` for identity, secret and what else is kept (default: where the user's state is, /var/lib/filch for root)"},
	{"name", "`NAME` of this node in tables and logs (default: the host's name)"},
	{"workers", "cores that are for tasks: a `NUMBER` (default: as many as may be used)"},
	{"accept", "run other members' tasks of this `KIND`: exec, commands, which then run as this user"},
	{"socket", "`PATH` of the control socket (default: control.sock in the data directory)"},
	{"control-listen", "serve the control API on TCP, too, at `HOST:PORT`, to whoever has the token in the data directory's control-token file"},
	{"drain-timeout", "how long the goodbye may take: a `TIME` like 10s"},
}

func (o *upOptions) register(c *cobra.Command) {
	f := c.Flags()
	f.SortFlags = false
	o.flags = f
	for _, to := range upFlags {
		if repeats(to.name) {
			f.StringArray(to.name, nil, to.help)
		} else {
			f.String(to.name, "", to.help)
		}
	}
	f.Bool("solo", false, "be a node on its own: listen nowhere, join nobody")
	f.Bool("no-mdns", false, "do not look for members on the local network, and do not be found there")
	f.StringVar(&o.configFile, "config", "", "read settings from `FILE`, in TOML (default: filch/filch.toml in the user's or the system's configuration directory, if it is there)")
	f.Var(&o.level, "log", "least `LEVEL` of what is logged to standard error: debug, info, warn or error (default info)")
	completeUpFlags(c)
}

func repeats(name string) bool {
	switch name {
	case "join", "listen", "label", "accept":
		return true
	}
	return false
}

func completeUpFlags(c *cobra.Command) {
	complete := func(flag string, values ...string) {
		if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // a bug: there is no such flag
		}
	}
	complete("accept", "exec\tcommands, run as this user")
	complete("log", "debug", "info", "warn", "error")
	complete("label", "rack=", "zone=", "host=\ta container that stands for a machine")
	complete("listen", "127.0.0.1:0\tthis machine only", fmt.Sprintf("0.0.0.0:%d\tall addresses, public ones too", node.DefaultPort))
	for _, flag := range []string{"join", "name", "workers", "control-listen", "drain-timeout"} {
		complete(flag)
	}
	if err := errors.Join(c.MarkFlagDirname("data-dir"), c.MarkFlagFilename("config", "toml"), c.MarkFlagFilename("socket", "sock"), c.MarkFlagFilename("join-file")); err != nil {
		panic(err)
	}
}

// said is what the flags say.
func (o *upOptions) said() (s node.Settings) {
	o.flags.Visit(func(f *pflag.Flag) {
		if f.Name == "config" || f.Name == "log" {
			return
		}
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		s.Say(f.Name, "--"+f.Name, values...)
	})
	return s
}

// config puts together what flags, environment and file say, and what is usual where
// they say nothing. The notices are for the user.
func (o *upOptions) config(lookup func(string) (string, bool), stdin io.Reader) (c node.Config, notices []string, err error) {
	getenv := func(name string) string { v, _ := lookup(name); return v }
	file, err := o.file(getenv)
	if err != nil {
		return c, nil, err
	}
	flags, environment := o.said(), node.EnvironmentSettings(lookup)
	if join, _, ok := flags.Said("join"); ok && (len(join) != 1 || join[0] != "-") {
		notices = append(notices, seenByAll)
	}
	for _, source := range []*node.Settings{&file, &environment, &flags} {
		if err := readJoinFile(source, stdin); err != nil {
			return c, nil, err
		}
	}
	all := flags.Over(environment.Over(file))
	c.MDNS = true
	if err := all.Apply(&c); err != nil {
		return c, nil, err
	}
	return o.usual(c, all, getenv, notices)
}

// usual fills in what nobody said.
func (o *upOptions) usual(c node.Config, s node.Settings, getenv func(string) string, notices []string) (node.Config, []string, error) {
	var err error
	if c.DataDir == "" {
		if c.DataDir, err = control.DefaultDataDir(getenv); err != nil {
			return c, nil, err
		}
	}
	if c.DataDir, err = filepath.Abs(c.DataDir); err != nil {
		return c, nil, fmt.Errorf("--data-dir: %w", err)
	}
	if c.Socket == "" {
		c.Socket = filepath.Join(c.DataDir, control.SocketName)
	}
	if c.Socket, err = filepath.Abs(c.Socket); err != nil {
		return c, nil, fmt.Errorf("--socket: %w", err)
	}
	_, _, listens := s.Said("listen")
	if solo, _, _ := s.Said("solo"); listens || len(solo) == 1 && solo[0] == "true" {
		return c, notices, nil
	}
	if c.Listen, err = node.PrivateListen(node.DefaultPort); err != nil {
		return c, nil, err
	}
	for _, l := range c.Listen {
		if node.CanListen(l) != nil {
			notices = append(notices, fmt.Sprintf("port %d is taken on %s: this node picks another, which a firewall may not know; --listen chooses one", node.DefaultPort, l))
			c.Listen, err = node.PrivateListen(0)
			return c, notices, err
		}
	}
	return c, notices, nil
}

// file reads the configuration file that was named, or the usual one if there is one.
func (o *upOptions) file(getenv func(string) string) (node.Settings, error) {
	path, where := o.configFile, "--config"
	if path == "" {
		path, where = getenv("FILCH_CONFIG"), "FILCH_CONFIG"
	}
	if path != "" {
		s, err := node.FileSettings(path)
		if err != nil {
			return s, fmt.Errorf("%s: %w", where, err)
		}
		return s, nil
	}
	for _, path := range usualConfigs(getenv) {
		s, err := node.FileSettings(path)
		if !errors.Is(err, os.ErrNotExist) {
			return s, err
		}
	}
	return node.Settings{}, nil
}

// usualConfigs are where a configuration file is looked for that nobody named.
func usualConfigs(getenv func(string) string) (paths []string) {
	if dir := getenv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		paths = append(paths, filepath.Join(dir, "filch", "filch.toml"))
	} else if home := getenv("HOME"); filepath.IsAbs(home) {
		paths = append(paths, filepath.Join(home, ".config", "filch", "filch.toml"))
	}
	return append(paths, "/etc/filch/filch.toml")
}

// maxJoinFile bounds what is read of join strings, in bytes.
const maxJoinFile = 1 << 20

// readJoinFile adds to what a source says under join what its join-file contains, and
// replaces a "-" by what standard input does.
func readJoinFile(s *node.Settings, stdin io.Reader) error {
	join, where, _ := s.Said("join")
	var texts []string
	for _, j := range join {
		if j != "-" {
			texts = append(texts, j)
			continue
		}
		more, err := joinStrings(stdin, where+": standard input")
		if err != nil {
			return err
		}
		texts = append(texts, more...)
	}
	if path, said, ok := s.Said("join-file"); ok && len(path) == 1 {
		from, name := stdin, "standard input"
		if path[0] != "-" {
			f, err := os.Open(path[0])
			if err != nil {
				return fmt.Errorf("%s: %w", said, err)
			}
			defer f.Close()
			from, name = f, path[0]
		}
		more, err := joinStrings(from, said+": "+name)
		if err != nil {
			return err
		}
		texts, where = append(texts, more...), said
	}
	if len(texts) > 0 {
		s.Say("join", where, texts...)
	}
	return nil
}

// joinStrings reads join strings, one per line; lines that are blank or begin with # are
// none.
func joinStrings(r io.Reader, name string) (all []string, err error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxJoinFile))
	lines.Buffer(nil, maxJoinFile)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	switch {
	case lines.Err() != nil:
		return nil, fmt.Errorf("%s: %w", name, lines.Err())
	case len(all) == 0:
		return nil, fmt.Errorf("%s: there is no join string in it", name)
	}
	return all, nil
}

// A logLevel is the value of --log.
type logLevel struct{ level slog.Level }

// String, Set and Type make it a flag's value.
func (l *logLevel) String() string { return strings.ToLower(l.level.String()) }

// Set accepts slog's names.
func (l *logLevel) Set(s string) error {
	if err := l.level.UnmarshalText([]byte(s)); err != nil {
		return errors.New("there is debug, info, warn and error")
	}
	return nil
}

// Type is shown in the help.
func (l *logLevel) Type() string { return "level" }

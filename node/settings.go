package node

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Settings are the settings of a node by their names ("listen", "data-dir"), from one or
// several sources, each with where it was said, so that what is wrong can be
// told with its place. The zero Settings say nothing. Not for concurrent use.
type Settings struct{ said map[string]said }

// said is what one source said of one setting.
type said struct {
	values []string
	where  string // "--listen", "FILCH_LISTEN", "/etc/filch.toml: listen"
}

// A setting is one of what the command line, the environment and the file can say. All
// share one name: listen is --listen, FILCH_LISTEN and a key of the file.
type setting struct {
	name string
	many bool // several values are allowed
	// divide cuts the value of an environment variable into several; nil: it is one.
	divide func(rune) bool
	set    func(*Config, []string) error
}

func commas(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }

// settings is the one table of all settings. It is a function so that nothing is made
// when a program that has no node starts.
func settings() []setting {
	text := func(to func(*Config) *string) func(*Config, []string) error {
		return func(c *Config, v []string) error { *to(c) = v[0]; return nil }
	}
	return []setting{
		{name: "name", set: text(func(c *Config) *string { return &c.Name })},
		{name: "data-dir", set: text(func(c *Config) *string { return &c.DataDir })},
		{name: "socket", set: text(func(c *Config) *string { return &c.Socket })},
		{name: "control-listen", set: text(func(c *Config) *string { return &c.ControlListen })},
		{name: "control-token", set: text(func(c *Config) *string { return &c.ControlToken })},
		{name: "join", many: true, divide: commas, set: func(c *Config, v []string) error { c.Join = v; return nil }},
		{name: "join-file", set: func(c *Config, v []string) error { return errors.New("read by the command line only") }},
		{name: "listen", many: true, divide: commas, set: setListen},
		{name: "label", many: true, divide: func(r rune) bool { return r == ',' }, set: setLabels},
		{name: "accept", many: true, divide: commas, set: func(c *Config, v []string) error { c.Accept = v; return nil }},
		{name: "workers", set: func(c *Config, v []string) (err error) {
			if c.Workers, err = strconv.Atoi(v[0]); err != nil || c.Workers < 0 {
				return fmt.Errorf("%q is not a number of workers; 0 is as many as may be used", clip(v[0]))
			}
			return nil
		}},
		{name: "drain-timeout", set: func(c *Config, v []string) (err error) {
			if c.DrainTimeout, err = time.ParseDuration(v[0]); err != nil || c.DrainTimeout < 0 {
				return fmt.Errorf("%q is not a time like 10s", clip(v[0]))
			}
			return nil
		}},
		{name: "solo", set: func(c *Config, v []string) error {
			solo, err := boolean(v[0])
			if solo {
				c.Listen, c.MDNS = nil, false
			}
			return err
		}},
		{name: "no-mdns", set: func(c *Config, v []string) error {
			no, err := boolean(v[0])
			c.MDNS = c.MDNS && !no
			return err
		}},
	}
}

func setListen(c *Config, v []string) error {
	for _, l := range v {
		if err := CheckListen(l); err != nil {
			return err
		}
	}
	c.Listen = v
	return nil
}

func setLabels(c *Config, v []string) error {
	c.Labels = make(map[string]string, len(v))
	for _, l := range v {
		key, value, ok := strings.Cut(strings.TrimSpace(l), "=")
		if !ok {
			return fmt.Errorf("%q is not KEY=VALUE, like rack=r1", clip(l))
		}
		if err := checkLabel(key, value); err != nil {
			return err
		}
		if _, twice := c.Labels[key]; twice {
			return fmt.Errorf("the label %s is there twice", key)
		}
		c.Labels[key] = value
	}
	return nil
}

func boolean(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, fmt.Errorf("%q is not true or false", clip(s))
	}
	return b, nil
}

// find returns the setting of that name.
func find(name string) (setting, bool) {
	all := settings()
	i := slices.IndexFunc(all, func(s setting) bool { return s.name == name })
	if i < 0 {
		return setting{}, false
	}
	return all[i], true
}

// Say records what a source says of a setting, in place of what was said before. It
// panics if there is no such setting.
func (s *Settings) Say(name, where string, values ...string) {
	if _, ok := find(name); !ok {
		panic("node: there is no setting " + name)
	}
	if s.said == nil {
		s.said = make(map[string]said)
	}
	s.said[name] = said{values, where}
}

// Said returns what is said of a setting, and where; ok is false if nothing is.
func (s *Settings) Said(name string) (values []string, where string, ok bool) {
	v, ok := s.said[name]
	return v.values, v.where, ok
}

// Over lays what s says over what under says.
func (s Settings) Over(under Settings) Settings {
	all := maps.Clone(under.said)
	if all == nil {
		all = make(map[string]said)
	}
	maps.Copy(all, s.said)
	return Settings{all}
}

// EnvironmentSettings reads the FILCH_ variables: FILCH_DATA_DIR is the setting data-dir.
// A variable that is empty says nothing. lookup is os.LookupEnv or a stand-in.
func EnvironmentSettings(lookup func(string) (string, bool)) Settings {
	var s Settings
	for _, to := range settings() {
		variable := "FILCH_" + strings.ToUpper(strings.ReplaceAll(to.name, "-", "_"))
		v, _ := lookup(variable)
		if strings.TrimSpace(v) == "" {
			continue
		}
		values := []string{strings.TrimSpace(v)}
		if to.divide != nil {
			values = strings.FieldsFunc(v, to.divide)
		}
		s.Say(to.name, variable, values...)
	}
	return s
}

// maxSettingsFile bounds a configuration file, in bytes.
const maxSettingsFile = 1 << 20

// FileSettings reads a configuration file: TOML, whose keys are the settings' names, with
// "labels" as a table beside "label". What it does not know is an error.
func FileSettings(path string) (Settings, error) {
	text, err := readBounded(path, maxSettingsFile)
	if err != nil {
		return Settings{}, err
	}
	var doc map[string]any
	if err := toml.Unmarshal(text, &doc); err != nil {
		var at toml.ParseError
		if errors.As(err, &at) {
			return Settings{}, fmt.Errorf("%s:%d: %s", path, at.Position.Line, at.Message)
		}
		return Settings{}, fmt.Errorf("%s: %w", path, err)
	}
	var s Settings
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		if err := s.sayFromFile(path, key, doc[key]); err != nil {
			return Settings{}, err
		}
	}
	return s, nil
}

func (s *Settings) sayFromFile(path, key string, v any) error {
	where := path + ": " + key
	if key == "labels" {
		if _, _, both := s.Said("label"); both {
			return fmt.Errorf("%s: there is label, too; one of them is enough", where)
		}
		table, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: a table is expected, like labels = { rack = \"r1\" }", where)
		}
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(table)) {
			value, ok := scalar(table[k])
			if !ok {
				return fmt.Errorf("%s.%s: a text is expected", where, k)
			}
			pairs = append(pairs, k+"="+value)
		}
		s.Say("label", where, pairs...)
		return nil
	}
	to, ok := find(key)
	if !ok || key == "join-file" && v == nil {
		return fmt.Errorf("%s: there is no such setting; there is %s", where, strings.Join(names(), ", "))
	}
	if one, ok := scalar(v); ok {
		s.Say(key, where, one)
		return nil
	}
	list, ok := v.([]any)
	if !ok || !to.many {
		return fmt.Errorf("%s: one value is expected", where)
	}
	values := make([]string, len(list))
	for i, v := range list {
		if values[i], ok = scalar(v); !ok {
			return fmt.Errorf("%s: item %d is not a plain value", where, i+1)
		}
	}
	s.Say(key, where, values...)
	return nil
}

// scalar returns a plain value of TOML as text.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

func names() (all []string) {
	for _, s := range settings() {
		all = append(all, s.name)
	}
	return append(all, "labels")
}

// Apply sets in c what s says, in the order of the table, so that solo comes after
// listen. The error says where the wrong thing was said. Whoever knows the setting
// join-file reads it before and says join instead.
func (s Settings) Apply(c *Config) error {
	if on, where, _ := s.Said("solo"); len(on) == 1 && on[0] == "true" {
		for _, other := range []string{"join", "join-file", "listen"} {
			if values, and, ok := s.Said(other); ok && len(values) > 0 {
				return fmt.Errorf("%s and %s contradict each other: a node on its own joins nobody and listens nowhere", where, and)
			}
		}
	}
	for _, to := range settings() {
		v, ok := s.said[to.name]
		if !ok || to.name == "join-file" {
			continue
		}
		if len(v.values) == 0 && !to.many {
			continue
		}
		if err := to.set(c, v.values); err != nil {
			return fmt.Errorf("%s: %w", v.where, err)
		}
	}
	return nil
}

// readBounded reads a whole file that may have at most so many bytes.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAtMost(f, path, most)
}

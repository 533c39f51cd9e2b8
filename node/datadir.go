package node

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/filchsched/filch/gossip/identity"
	"github.com/filchsched/filch/node/control"
)

// The files of a data directory. Each is written under another name, synced and renamed,
// so that it is there whole or not at all.
const (
	fileLock        = "lock"          // held while a node runs; contains its process number
	fileIdentity    = "identity"      // the node's private key
	fileSecret      = "secret"        // the cluster's secret
	fileIncarnation = "incarnation"   // how often a node has started with this identity
	fileToken       = "control-token" // for the control API on TCP
	fileTaskKey     = "task-key"      // signs what is granted to others
	filePeers       = "peers"         // members seen lately; written by the host
)

// maxSmallFile bounds what is read of a file here: each has one line.
const maxSmallFile = 4 << 10

// ErrDataDirInUse is wrapped by the error for a data directory that another node has.
var ErrDataDirInUse = errors.New("another node is using it")

// A dataDir is a data directory that this process has to itself.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory if it is missing and takes it for this process.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := ours(path); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, fileLock), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := control.TryLock(lock); err != nil {
		defer lock.Close()
		if errors.Is(err, control.ErrLocked) {
			return nil, fmt.Errorf("data directory %s: %w%s: end that one first (filch leave), or give this one a directory of its own with --data-dir", path, ErrDataDirInUse, control.LockedBy(lock))
		}
		return nil, fmt.Errorf("data directory: lock %s: %w", lock.Name(), err)
	}
	if err := control.WriteOwner(lock); err != nil {
		lock.Close()
		return nil, fmt.Errorf("data directory: %w", err)
	}
	d := &dataDir{path: path, lock: lock}
	d.sweep()
	return d, nil
}

// sweep removes what a node that was killed while it wrote has left: files under names
// that were not yet the right ones, some of them with a part of a secret. The directory is
// this process's alone.
func (d *dataDir) sweep() {
	there, _ := os.ReadDir(d.path) // what cannot be read stays: it does no harm
	for _, entry := range there {
		if name, _, left := strings.Cut(entry.Name(), ".new"); left && slices.Contains(written, name) {
			_ = os.Remove(d.file(entry.Name()))
		}
	}
}

// written are the files that are replaced by new ones.
var written = []string{fileIdentity, fileSecret, fileIncarnation, fileToken, fileTaskKey, filePeers}

// private returns an error if users that are meant to know nothing of a path may read or
// change it. Windows keeps permissions elsewhere.
func private(path string, forbidden fs.FileMode) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s has mode %04o, so that others get at the cluster's secret: chmod go-rwx %[1]s", path, mode)
	}
	return nil
}

// ours returns an error if others may change what is in a directory: who may can put files
// of theirs in place of the secret's. That others may list it does no harm, since every
// file in it that is secret has mode 0600; volumes and mkdir make such directories.
func ours(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s has mode %04o, so that others can replace the cluster's secret: chmod go-w %[1]s", path, mode)
	}
	if owner, mine := owner(info); !mine {
		return fmt.Errorf("%s belongs to user %d, who can replace the cluster's secret: start filch as that user, or name another directory with --data-dir", path, owner)
	}
	return nil
}

// Close gives the directory up.
func (d *dataDir) Close() error { return d.lock.Close() }

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// read returns the contents of a file that only the owner may read. ok is false if there
// is none.
func (d *dataDir) read(name string) (text []byte, ok bool, err error) {
	path := d.file(name)
	text, err = readBounded(path, maxSmallFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	return text, true, private(path, 0o077)
}

// write replaces a file, and returns when it is on the disk.
func (d *dataDir) write(name string, text []byte) error {
	return writeDurably(d.file(name), text)
}

// writeDurably replaces a file by one with mode 0600: whole or not at all, also if the power
// fails.
func writeDurably(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // in vain once it is renamed
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir has a rename survive a power failure, where directories can be synced.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// identity returns the node's identity; a new one in a directory without.
func (d *dataDir) identity() (identity.Identity, error) {
	text, ok, err := d.read(fileIdentity)
	if err != nil {
		return identity.Identity{}, fmt.Errorf("identity: %w", err)
	}
	if ok {
		id, err := identity.ParseIdentity(text)
		if err != nil {
			return id, fmt.Errorf("%s: %w; restore it from a copy, or remove it together with %s for the node to come back as a new one", d.file(fileIdentity), err, d.file(fileIncarnation))
		}
		return id, nil
	}
	// The count is there before the identity is: without the count an identity is refused.
	if err := d.write(fileIncarnation, []byte("0\n")); err != nil {
		return identity.Identity{}, err
	}
	id := identity.New()
	return id, d.write(fileIdentity, id.Marshal())
}

// nextIncarnation counts one more start, and returns when that is on the disk. What this
// number fences must never see it twice, so a lost count is an error.
func (d *dataDir) nextIncarnation() (uint64, error) {
	path := d.file(fileIncarnation)
	text, ok, err := d.read(fileIncarnation)
	if err != nil {
		return 0, fmt.Errorf("incarnation: %w", err)
	}
	n, bad := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 63)
	if !ok || bad != nil {
		what := "is missing"
		if ok {
			what = fmt.Sprintf("holds %q, which is no number", clip(string(text)))
		}
		return 0, fmt.Errorf("%s %s: without the count of starts others would take this node for an earlier one; remove %s as well, and the node comes back as a new one", path, what, d.file(fileIdentity))
	}
	return d.raiseIncarnation(n)
}

// raiseIncarnation counts one more start than the given number, and returns when that is on
// the disk.
func (d *dataDir) raiseIncarnation(above uint64) (uint64, error) {
	return above + 1, d.write(fileIncarnation, []byte(strconv.FormatUint(above+1, 10)+"\n"))
}

// forgetSecret undoes what a first start with a wrong join string has remembered.
func forgetSecret(dir string) { _ = os.Remove(filepath.Join(dir, fileSecret)) }

// secret returns the cluster's secret: the one that was invited with, if any, else the
// remembered one, else a new one. An invitation to another cluster than the remembered one
// is refused: a node that moves by accident leaves its old cluster's work behind.
func (d *dataDir) secret(invited *identity.Secret) (identity.Secret, error) {
	text, ok, err := d.read(fileSecret)
	if err != nil {
		return identity.Secret{}, fmt.Errorf("secret: %w", err)
	}
	if !ok {
		s := identity.NewSecret()
		if invited != nil {
			s = *invited
		}
		return s, d.write(fileSecret, []byte(s.Encode()+"\n"))
	}
	s, err := identity.ParseSecret(string(text))
	switch {
	case err != nil:
		return s, fmt.Errorf("%s: %w; restore it from a copy, or remove it and join again", d.file(fileSecret), err)
	case invited != nil && !invited.Equal(s):
		return s, fmt.Errorf("the join string is for cluster %s, and data directory %s belongs to cluster %s: use another --data-dir, or remove %s for this node to change over",
			invited.Cluster().ID(), d.path, s.Cluster().ID(), d.file(fileSecret))
	}
	return s, nil
}

// token returns the bearer token for the control API on TCP, made when first asked for.
func (d *dataDir) token() (string, error) {
	text, ok, err := d.read(fileToken)
	if err != nil {
		return "", fmt.Errorf("control token: %w", err)
	}
	if t := strings.TrimSpace(string(text)); ok && len(t) >= minToken {
		return t, nil
	} else if ok {
		return "", fmt.Errorf("%s: %d bytes are too few for a token; remove it for a new one", d.file(fileToken), len(t))
	}
	t := rand.Text()
	return t, d.write(fileToken, []byte(t+"\n"))
}

// taskKey returns the key under which this node's grants are signed, made when first asked
// for. Outcomes of what an earlier start granted are believed by it.
func (d *dataDir) taskKey() (key [32]byte, err error) {
	text, ok, err := d.read(fileTaskKey)
	if err != nil {
		return key, fmt.Errorf("task key: %w", err)
	}
	if !ok {
		rand.Read(key[:]) // never fails
		return key, d.write(fileTaskKey, []byte(hex.EncodeToString(key[:])+"\n"))
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(raw) != len(key) {
		return key, fmt.Errorf("%s is not %d bytes in hexadecimal: remove it for a new one", d.file(fileTaskKey), len(key))
	}
	copy(key[:], raw)
	return key, nil
}

// readAtMost reads what r has, which may be at most so many bytes.
func readAtMost(r io.Reader, path string, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case int64(len(text)) > most:
		return nil, fmt.Errorf("%s: more than %d bytes, which cannot be right", path, most)
	}
	return text, nil
}

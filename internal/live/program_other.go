//go:build !linux

package live

import (
	"errors"
	"io/fs"
	"net/netip"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/program"
)

// A Program is a file that may be executed.
type Program struct {
	Path    string
	Foreign bool
	File    program.File
	Unsure  string
}

// Open is of Linux alone.
func Open(string) (Program, error) { return Program{}, errors.ErrUnsupported }

// ReadBy is of Linux alone.
func (Program) ReadBy(facts.Account, caps.Set) (string, error) { return "", errors.ErrUnsupported }

// Interprets is of Linux alone.
func (Program) Interprets() bool { return false }

// Close does nothing.
func (Program) Close() error { return nil }

// Read returns an empty record.
func (Program) Read(...int) facts.Record { return facts.Record{} }

// Takes is of Linux alone.
func Takes(netip.Addr) error { return errors.ErrUnsupported }

// Excludes is of Linux alone.
func Excludes(netip.Addr, int, bool) error { return errors.ErrUnsupported }

// Text is of Linux alone.
func (Program) Text() (string, error) { return "", errors.ErrUnsupported }

// Image returns an empty image.
func (Program) Image() facts.Image { return facts.Image{} }

// Mine is of Linux alone.
func (Program) Mine() error { return errors.ErrUnsupported }

// Of is of Linux alone.
func (Program) Of(facts.Account, caps.Set, []string) (string, error) {
	return "", errors.ErrUnsupported
}

// MainAlone is of Linux alone.
func MainAlone(string, facts.Socket) program.Answer[bool] {
	return program.Answer[bool]{Why: "of Linux alone"}
}

// UserManager is of Linux alone.
func UserManager(uint32) facts.Fact[caps.State] { return facts.Fact[caps.State]{} }

// A Tree is of Linux alone.
type Tree struct {
	FS         fs.FS
	Attributes func(fs.FileInfo) facts.Image
}

// Open is of Linux alone.
func (Tree) Open(string) (Program, error) { return Program{}, errors.ErrUnsupported }

// Stat is of Linux alone.
func (Tree) Stat(string) (fs.FileInfo, error) { return nil, errors.ErrUnsupported }

// ReadFile is of Linux alone.
func (Tree) ReadFile(string) ([]byte, error) { return nil, errors.ErrUnsupported }

//go:build !linux

package caps

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"runtime"
)

var errOther = fmt.Errorf("capabilities on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func self() (State, error) { return State{}, errOther }

func effective() (Set, error) { return 0, errOther }

func lastCap() (Cap, error) { return 0, errOther }

func process(int) (State, error) { return State{}, errOther }

func threads(int) (map[int]State, error) { return nil, errOther }

func readFile(string) (File, error) { return File{}, errOther }

func readOpen(*os.File) (File, error) { return File{}, errOther }

func dangers(string) (Danger, error) { return 0, errOther }

func writeFile(string, File, Danger) error { return errOther }

func writeOpen(*os.File, File, Danger) error { return errOther }

func removeFile(string) error { return errOther }

func removeOpen(*os.File) error { return errOther }

func scan(root string) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) { yield(Found{Path: root}, errOther) }
}

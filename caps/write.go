package caps

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// WriteFile gives the file at path the capabilities f, replacing those it has, as
// setcap does; CAP_SETFCAP is needed. The last element of path must be a regular
// file and no symbolic link. A file that had better not have capabilities gets
// none, and the error is a [*DangerError], unless accept has that [Danger].
//
// The file is opened once, and every check and change is made on that descriptor,
// so that nothing can be swapped in between. What was written is read back; in a
// user namespace the kernel adds the root id itself. Where the filesystem cannot
// hold capabilities the error is [ErrNoAttributes].
func WriteFile(path string, f File, accept Danger) error { return writeFile(path, f, accept) }

// RemoveFile removes the capabilities of the file at path, as setcap -r does.
// Links are not followed. If it has none, errors.Is(err, [ErrNoCaps]) holds.
func RemoveFile(path string) error { return removeFile(path) }

// VerifyFile compares the capabilities of the file at path, read as [ReadFile]
// reads them, with want, as setcap -v does. If they differ the error is a
// [*MismatchError]. Versions are not compared.
func VerifyFile(path string, want File) error {
	got, err := ReadFile(path)
	if errors.Is(err, ErrNoCaps) {
		return &MismatchError{Path: path, Want: want, None: true}
	}
	if err != nil {
		return err
	}
	if !got.same(want) {
		return &MismatchError{Path: path, Got: got, Want: want}
	}
	return nil
}

// ReadOpen does what [ReadFile] does for an open file.
func ReadOpen(file *os.File) (File, error) { return readOpen(file) }

// WriteOpen does what [WriteFile] does for an open file, which need not be
// open for writing but must be for reading.
func WriteOpen(file *os.File, f File, accept Danger) error { return writeOpen(file, f, accept) }

// RemoveOpen does what [RemoveFile] does for an open file.
func RemoveOpen(file *os.File) error { return removeOpen(file) }

// ErrNotRegular is in the error of [WriteFile] and [RemoveFile] for what is not
// a regular file, such as a symbolic link: name the file itself.
var ErrNotRegular = errors.New("not a regular file; name the program itself, not a link to it")

// ErrNoAttributes is in the error of [WriteFile] for a file on a filesystem that
// holds no security attributes. errors.Is(err, syscall.EOPNOTSUPP) holds.
var ErrNoAttributes error = noAttributes{errors.New("this filesystem holds no capabilities; install the file on another one, or give the process ambient capabilities")}

type noAttributes struct{ error }

func (noAttributes) Is(target error) bool { return errors.Is(syscall.EOPNOTSUPP, target) }

// A MismatchError says that a file has other capabilities than wanted.
type MismatchError struct {
	Path      string
	Got, Want File
	None      bool // it has none: errors.Is(err, ErrNoCaps) holds
}

// Error names the file, and what it has and should have.
func (e *MismatchError) Error() string {
	if e.None {
		return fmt.Sprintf("%q has no capabilities, not %s", e.Path, e.Want.describe())
	}
	return fmt.Sprintf("%q has capabilities %s, not %s", e.Path, e.Got.describe(), e.Want.describe())
}

// Unwrap returns ErrNoCaps for a file without any.
func (e *MismatchError) Unwrap() error {
	if e.None {
		return ErrNoCaps
	}
	return nil
}

// describe returns the text of f with its root id.
func (f File) describe() string {
	if f.RootID == 0 {
		return f.String()
	}
	return fmt.Sprintf("%s [rootid=%d]", f, f.RootID)
}

// same reports whether f and g are alike but for their versions.
func (f File) same(g File) bool {
	f.Version, g.Version = 0, 0
	return f == g
}

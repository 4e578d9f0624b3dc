package caps

import (
	"fmt"
	"strings"
)

// A Danger is a reason not to give a file capabilities, or a set of reasons.
type Danger uint8

const (
	// NotELF: a script, or other text. The kernel runs its interpreter, and
	// that file's capabilities count (execve(2)).
	NotELF Danger = 1 << iota

	// Interpreter: a shell, language runtime, debugger or loader (see [Interprets]).
	// It would run any program of any user with the capabilities.
	Interpreter

	// WritableFile: its group or others may write the file.
	WritableFile

	// WritableFolder: the group or others may replace the file or a folder above
	// it, since what holds it is writable for them and not sticky.
	WritableFolder

	// SetID: the file is set-user-ID or set-group-ID, so that its execve also
	// changes the user or group and clears the ambient set; set-user-ID root, it
	// grants the file's capabilities instead of root's (capabilities(7)).
	SetID

	// Nosuid: its mount is nosuid, so that execve(2) ignores the capabilities.
	Nosuid
)

var reasons = [...]struct {
	is      Danger
	reason  string
	instead string
}{
	{NotELF, "not an ELF program: the kernel runs an interpreter and ignores the script's capabilities", "give them to the process as ambient capabilities, or to a compiled program that starts it"},
	{Interpreter, "an interpreter: any user could run any program with the capabilities", "give them to the process as ambient capabilities, or to a private copy that only one user may execute"},
	{WritableFile, "users other than its owner may write the file", "chmod go-w first"},
	{WritableFolder, "others may replace the file: they may write a folder above it", "chmod go-w that folder first, or install the file where only root may write"},
	{SetID, "the file is set-user-ID or set-group-ID", "chmod ug-s first, or do without the capabilities"},
	{Nosuid, "its mount is nosuid, and execve(2) ignores the capabilities there", "install the file on a mount without nosuid, or give the process ambient capabilities"},
}

// String returns the reasons in words, joined by "; ".
func (d Danger) String() string {
	var list []string
	for _, known := range reasons {
		if d&known.is != 0 {
			list = append(list, known.reason)
			d &^= known.is
		}
	}
	if d != 0 {
		list = append(list, fmt.Sprintf("Danger(%#x)", uint8(d)))
	}
	return strings.Join(list, "; ")
}

// has reports whether every reason in e is in d.
func (d Danger) has(e Danger) bool { return d&e == e }

// Instead says what to do about the reasons, joined by "; ".
func (d Danger) Instead() string {
	var list []string
	for _, known := range reasons {
		if d&known.is != 0 {
			list = append(list, known.instead)
		}
	}
	return strings.Join(list, "; ")
}

// Dangers returns the reasons for which [WriteFile] would not give the file at path
// capabilities: 0 for none. It follows symbolic links and must be able to read the file.
func Dangers(path string) (Danger, error) { return dangers(path) }

// A DangerError is in the error of [WriteFile] for a file that had better not
// have capabilities.
type DangerError struct {
	Path   string
	Danger Danger // every reason that was not accepted
}

// Error names the file, the reasons and what to do instead.
func (e *DangerError) Error() string {
	return fmt.Sprintf("%q gets no capabilities: %s; instead: %s", e.Path, e.Danger, e.Danger.Instead())
}

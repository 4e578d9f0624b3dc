package live

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/program"
)

// A Tree is a file system that is no machine's: that of a container's image.
type Tree struct {
	FS fs.FS // whose links are links of the image, as fs.ReadLinkFS has them

	// Attributes returns what execve sees of a file.
	Attributes func(fs.FileInfo) facts.Image
}

const maxProgram = 1 << 30 // bytes of a program

// Stat describes what a path names.
func (t Tree) Stat(name string) (fs.FileInfo, error) {
	at, err := Resolve(t.FS, name)
	if err != nil {
		return nil, err
	}
	if at == "/" {
		return fs.Stat(t.FS, ".")
	}
	return fs.Lstat(t.FS, at[1:])
}

// ReadFile reads a file of at most a mebibyte.
func (t Tree) ReadFile(name string) ([]byte, error) {
	at, err := Resolve(t.FS, name)
	if err != nil {
		return nil, err
	}
	return load(t.FS, at, maxScript)
}

func load(root fs.FS, at string, limit int64) ([]byte, error) {
	f, err := root.Open(at[1:])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is longer than %d bytes", at, limit)
	}
	return b, err
}

// Open looks at the file that execve(2) would execute for a path of the tree, as the function
// Open does on this machine.
func (t Tree) Open(name string) (Program, error) {
	at, err := Resolve(t.FS, name)
	if err != nil {
		return Program{}, err
	}
	p := Program{Path: at, tree: &t}
	for i, c := range at {
		if c != '/' {
			continue
		}
		if err := p.step(t, at[:max(i, 1)]); err != nil {
			return p, err
		}
	}
	if err := p.step(t, at); err != nil {
		return p, err
	}
	if stat := p.way[len(p.way)-1].Stat; !stat.Executable() {
		return p, &fs.PathError{Op: "exec", Path: at, Err: syscall.EACCES}
	}
	if p.bytes, err = load(t.FS, at, maxProgram); err != nil {
		return p, err
	}
	p.File, err = program.Read(bytes.NewReader(p.bytes), int64(len(p.bytes)))
	p.Unsure = p.cutOff()
	switch loader := p.File.Interpreter; {
	case err != nil:
	case p.File.Format == program.Unknown:
		err = &fs.PathError{Op: "exec", Path: at, Err: syscall.ENOEXEC}
	case p.File.Format == program.ELF && loader != "":
		if _, missing := t.Stat(loader); missing != nil {
			err = fmt.Errorf("%s: its loader: %w", at, missing)
		}
	}
	return p, err
}

// step adds a folder of the way, or the file at its end.
func (p *Program) step(t Tree, at string) error {
	info, err := t.Stat(at)
	if err != nil {
		return err
	}
	p.image = t.Attributes(info)
	if p.image.Stat.State != facts.Known {
		return errors.New(at + ": " + p.image.Stat.Reason)
	}
	p.way = append(p.way, step{path: at, Stat: p.image.Stat.Value})
	return nil
}

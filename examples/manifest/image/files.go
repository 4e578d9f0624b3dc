package image

import (
	"archive/tar"
	"io"
	"io/fs"
	"path"
	"time"
)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 1 << 30

// lookup returns the file of a path as package fs has them. It follows no link.
func (t *tree) lookup(op, name string) (info, error) {
	if !fs.ValidPath(name) {
		return info{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := t.find(op, name)
	return info{path.Base(name), n}, err
}

// Lstat describes a file, and follows no link.
func (t *tree) Lstat(name string) (fs.FileInfo, error) {
	i, err := t.lookup("lstat", name)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Stat is Lstat: who asks follows the links.
func (t *tree) Stat(name string) (fs.FileInfo, error) { return t.Lstat(name) }

// ReadLink returns what a link names.
func (t *tree) ReadLink(name string) (string, error) {
	i, err := t.lookup("readlink", name)
	if err == nil && i.mode&fs.ModeSymlink == 0 {
		err = &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	if err != nil {
		return "", err
	}
	return i.link, nil
}

// Open opens a file. Its layer is read anew for it, so that none is held.
func (t *tree) Open(name string) (fs.File, error) {
	i, err := t.lookup("open", name)
	if err != nil {
		return nil, err
	}
	f := &file{info: i}
	if !i.mode.IsRegular() {
		return f, nil
	}
	r, err := t.layers[i.layer].Uncompressed()
	if err != nil {
		return nil, err
	}
	left := usual().bytes
	archive := tar.NewReader(&limited{r, &left})
	for n := 0; ; n++ {
		if _, err := archive.Next(); err != nil {
			r.Close()
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		if n == i.n {
			f.r, f.close = io.LimitReader(archive, maxFile), r.Close
			return f, nil
		}
	}
}

// A file is one that is open.
type file struct {
	info
	r     io.Reader
	close func() error
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }

func (f *file) Read(b []byte) (int, error) {
	if f.r == nil {
		return 0, &fs.PathError{Op: "read", Path: f.base, Err: fs.ErrInvalid}
	}
	return f.r.Read(b)
}

func (f *file) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// An info describes a file. Its time is not kept.
type info struct {
	base string
	*node
}

func (i info) Name() string       { return i.base }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return i.sys }

package program

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"go/version"
	"io"
	"slices"
	"strings"
)

// A Build is what the Go linker wrote into a program.
type Build struct {
	Main    string   // the import path of the main package
	Modules []string // that it is made of; none where it was built without modules
	Cgo     bool     // it was built with cgo
	MPTCP   bool     // package net tries MPTCP first for its listeners, where GODEBUG does not say otherwise
}

// from reports whether a part of the program may come from a module.
func (b Build) from(module string) bool {
	return b.Main != "" && (len(b.Modules) == 0 || slices.Contains(b.Modules, module))
}

// Does is what a program does by itself, as far as its file shows that.
type Does struct {
	Raise   Answer[bool] // makes permitted capabilities effective before it binds, as the guard does
	Inherit Answer[bool] // takes the sockets that LISTEN_FDS offers
	Notify  Answer[bool] // can tell systemd that it is ready (sd_notify(3))
}

// The marks of what a program may do, in its file.
const (
	binds  = "github.com/lowport/lowport/privport.claim" // function names, in the table that panics print from: of what every bind calls
	raises = "github.com/lowport/lowport/privport.raise" // of what privport.Raise calls
	passed = "LISTEN_FDS"
	notify = "NOTIFY_SOCKET"
	notice = "systemd-notify" // the command that does it
	capset = "cap_set_proc"   // of libcap, with the names that Go's capability packages have
)

// raisers are packages and libraries by which other programs change their
// capabilities.
var raisers = []string{"kernel.org/pub/linux/libs/security/libcap/cap.", "github.com/syndtr/gocapability/", "github.com/moby/sys/capability.", capset, "capng_apply"}

// look reads what an ELF file does.
func (f *File) look(r io.ReaderAt, size int64) {
	var err error
	if f.Libraries.Value, err = ReadLibraries(r); err != nil {
		f.Libraries = unsure[Libraries](err)
	}
	f.Go = build(r, sections(r))
	f.Does = does(io.NewSectionReader(r, 0, size), f.Go, f.Libraries)
}

// sections reads the sections of an ELF file, nil if it cannot. Package elf is not made for
// hostile files: it may panic.
func sections(r io.ReaderAt) (f *elf.File) {
	defer func() {
		if recover() != nil {
			f = nil
		}
	}()
	f, _ = elf.NewFile(r)
	return f
}

// build reads the build information of a Go program. The zero Build is that of a
// program which is not one.
func build(r io.ReaderAt, sections *elf.File) Answer[Build] {
	info, err := buildinfo.Read(r)
	switch {
	case err == nil:
	case sections != nil && sections.Section(".gopclntab") == nil && sections.Section(".note.go.buildid") == nil && len(sections.Sections) > 0:
		return Answer[Build]{}
	case sections != nil && len(sections.Sections) == 0:
		return unsure[Build](errors.New("its section headers were removed"))
	default:
		return unsure[Build](err)
	}
	b := Build{Main: info.Path}
	if info.Main.Path != "" {
		b.Modules = append(b.Modules, info.Main.Path)
	}
	b.MPTCP = version.Compare(version.Lang(info.GoVersion), "go1.24") >= 0
	for _, m := range info.Deps {
		b.Modules = append(b.Modules, m.Path)
	}
	for _, s := range info.Settings {
		b.Cgo = b.Cgo || s.Key == "CGO_ENABLED" && s.Value == "1"
		if s.Key == "DefaultGODEBUG" {
			b.MPTCP = ListensMPTCP(s.Value, b.MPTCP)
		}
	}
	return Answer[Build]{Value: b}
}

// ListensMPTCP reports whether listeners try MPTCP first by a value of $GODEBUG, where they
// do so by default or not ([net.ListenConfig.SetMultipathTCP]).
func ListensMPTCP(godebug string, byDefault bool) bool {
	for setting := range strings.SplitSeq(godebug, ",") {
		if key, value, _ := strings.Cut(setting, "="); key == "multipathtcp" {
			byDefault = value == "1" || value == "2"
		}
	}
	return byDefault
}

// module is this one. A program that was built without it has no guard.
const module = "github.com/lowport/lowport"

// does searches the file for the marks. The linker keeps only functions that may
// be called, and their names, also in a stripped program. Where the names may
// have been changed, their absence says nothing.
func does(r io.Reader, goBuild Answer[Build], libs Answer[Libraries]) Does {
	has, err := search(r, append([]string{binds, raises, passed, notify, notice}, raisers...))
	if err != nil {
		return Does{unsure[bool](err), unsure[bool](err), unsure[bool](err)}
	}
	d := Does{Notify: Answer[bool]{Value: has[notify] || has[notice]}}
	if pure := goBuild.Known() && goBuild.Value.Main != "" && !goBuild.Value.Cgo; !d.Notify.Value && !pure {
		d.Notify.Why = "what the program's libraries tell systemd is not known"
	}
	if goBuild.Known() && goBuild.Value.from(module) && has[binds] {
		d.Raise.Value, d.Inherit.Value = true, true
		return d
	}
	for _, name := range raisers {
		if has[name] {
			d.Raise.Why = "the program may change its capabilities, as it has " + strings.TrimRight(name, "./")
		}
	}
	if has[binds] || has[raises] {
		d.Raise.Why = "the program has a part of this guard"
	}
	if has[passed] || has[binds] {
		d.Inherit.Why = "the program knows LISTEN_FDS, and may take the socket or not"
	}
	if !goBuild.Known() && d.Raise.Known() {
		d.Raise.Why = "what the program is made of cannot be told: " + goBuild.Why
	}
	if !libs.Known() {
		d.Raise.Why, d.Inherit.Why = libs.Why, libs.Why
	}
	for _, lib := range libs.Value.Needed {
		if strings.HasPrefix(lib, "libsystemd.so") && d.Inherit.Known() {
			d.Inherit.Why = "the program uses " + lib + ", and may take the socket or not"
		}
	}
	return d
}

// search reports which of the marks a file has.
func search(r io.Reader, marks []string) (map[string]bool, error) {
	longest := 0
	for _, m := range marks {
		longest = max(longest, len(m))
	}
	has := map[string]bool{}
	buf := make([]byte, longest+1<<20)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		for _, m := range marks {
			has[m] = has[m] || bytes.Contains(buf[:kept+n], []byte(m))
		}
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return has, nil
		case err != nil:
			return nil, err
		}
		kept = copy(buf, buf[kept+n-longest:])
	}
}

package launch

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// conditions are Condition…= and Assert…=: one that is not met ends the start. Those
// with "|" need one of them to be met (condition_test_list).
func conditions(u *Unit, at place) error {
	var all settings
	for _, e := range u.set {
		kind, ok := conditionOf(e.key)
		switch {
		case e.section != "Unit" || !ok:
		case e.value == "": // begins anew, of every kind
			all = withoutPrefix(all, kind)
		default:
			all = append(all, e)
		}
	}
	return u.meet(at, all)
}

func conditionOf(key string) (kind string, ok bool) {
	for _, kind := range []string{"Condition", "Assert"} {
		if strings.HasPrefix(key, kind) {
			return kind, true
		}
	}
	return "", false
}

func withoutPrefix(all settings, prefix string) (kept settings) {
	for _, e := range all {
		if !strings.HasPrefix(e.key, prefix) {
			kept = append(kept, e)
		}
	}
	return kept
}

func (u *Unit) meet(at place, all settings) error {
	var alternatives settings
	anyMet, anyUnsure := false, false
	for _, e := range all {
		value, alternative := strings.CutPrefix(e.value, "|")
		value, negated := strings.CutPrefix(strings.TrimSpace(value), "!")
		met, sure := u.met(at, e, strings.TrimSpace(value))
		met = met != negated
		switch {
		case alternative:
			alternatives = append(alternatives, e)
			anyMet, anyUnsure = anyMet || met && sure, anyUnsure || !sure
		case !sure:
			u.doubt("whether %s is met is not looked at", e)
		case !met:
			return stops("", "%s is not met", e)
		}
	}
	switch {
	case len(alternatives) == 0 || anyMet:
	case anyUnsure:
		u.doubt("whether %s is met is not looked at", alternatives[0])
	default:
		return stops("", "%s is not met", alternatives[0])
	}
	return nil
}

// met reports whether a condition holds; sure is false where that is not looked at.
func (u *Unit) met(at place, e entry, value string) (met, sure bool) {
	kind, _ := conditionOf(e.key)
	value, ok := u.expanded(e, value)
	if !ok {
		return false, false
	}
	name := strings.TrimPrefix(e.key, kind)
	switch name {
	case "User":
		if u.User {
			return value == at.who.Name || value == strconv.Itoa(int(at.who.UID)), value != "@system"
		}
		return value == "root" || value == "0" || value == "@system", (value == "root" || value == "0" || value == "@system" || !strings.ContainsAny(value, "0123456789"))
	case "Virtualization":
		return virtualization(at.root, value)
	case "Architecture", "Capability", "FirstBoot", "KernelVersion", "PathIsMountPoint", "PathIsReadWrite":
		return ofMachine(at.root, name, value)
	case "PathIsSymbolicLink":
		info, err := fs.Lstat(at.root, inside(value))
		return err == nil && info.Mode()&fs.ModeSymlink != 0, err == nil || errors.Is(err, fs.ErrNotExist)
	case "PathExistsGlob":
		names, err := glob(at.root, value)
		return len(names) > 0, err == nil
	}
	info, err := fs.Stat(at.root, inside(value))
	missing := errors.Is(err, fs.ErrNotExist)
	if err != nil && !missing || !path.IsAbs(value) {
		return false, false
	}
	switch name {
	case "PathExists":
		return !missing, true
	case "PathIsDirectory":
		return !missing && info.IsDir(), true
	case "FileNotEmpty":
		return !missing && info.Mode().IsRegular() && info.Size() > 0, true
	case "FileIsExecutable":
		return !missing && info.Mode().IsRegular() && info.Mode()&0o111 != 0, true
	case "DirectoryNotEmpty":
		names, err := fs.ReadDir(at.root, inside(value))
		return len(names) > 0, missing || err == nil
	}
	return false, false
}

// requirements are the units without which this one is not started.
func requirements(u *Unit, at place) error {
	for _, key := range []string{"Requires", "BindsTo", "Requisite"} {
		for _, e := range u.set.entries("Unit", key) {
			for _, name := range split(e.value) {
				name, ok := u.expanded(e, name)
				if !ok {
					continue
				}
				if err := u.required(at, e, name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// required looks for the file of another unit. Those that have none may be made by systemd
// itself: devices, slices.
func (u *Unit) required(at place, e entry, name string) error {
	found, masked := u.look(at, name)
	switch ext := path.Ext(name); {
	case masked:
		return stops("", "%s: %s is masked", e, name)
	case found && (ext == ".service" || ext == ".socket" || e.key == "Requisite"):
		u.doubt("%s: whether %s starts is not looked at", e, name)
	case !found && slices.Contains([]string{".service", ".socket", ".target", ".timer", ".path", ".automount"}, ext):
		return stops("", "%s: there is no %s", e, name)
	case !found && ext == ".mount":
		return mountOf(at.root, e, name, u)
	}
	return nil
}

// mountOf looks for a mount that has no file: systemd makes a unit of each that is there
// (systemd.mount(5)). RequiresMountsFor= asks for none (unit_add_mount_dependencies).
func mountOf(root fs.FS, e entry, name string, u *Unit) error {
	b, err := fs.ReadFile(root, "proc/1/mountinfo")
	if err != nil {
		u.doubt("%s: whether %s is mounted could not be read", e, name)
		return nil
	}
	point := path.Clean("/" + unescapeName(strings.TrimSuffix(name, ".mount")))
	if m, found := facts.ParseMounts(b).At(point); !found || m.Point != point {
		return stops("", "%s: there is no %s", e, name)
	}
	return nil
}

// look reports whether a unit has a file, and whether that masks it: a link to /dev/null, or an
// empty file.
func (u *Unit) look(at place, name string) (found, masked bool) {
	for _, folder := range u.folders() {
		for _, n := range []string{name, templateOf(name)} {
			if info, err := fs.Stat(at.root, path.Join(folder, n)); err == nil {
				return true, !info.Mode().IsRegular() || info.Size() == 0
			}
		}
	}
	return false, false
}

// slice is Slice=: one that cannot be loaded ends the start. What is no name of a unit is passed
// over.
func slice(u *Unit, at place) error {
	e, ok := u.set.lastEntry("Slice")
	name, known := u.expanded(e, e.value)
	stem, is := strings.CutSuffix(name, ".slice")
	switch {
	case !ok || !known || !is || stem == "" || stem == "-" || strings.ContainsFunc(stem, foreign):
		return nil
	case strings.HasPrefix(stem, "-"), strings.HasSuffix(stem, "-"), strings.Contains(stem, "--"): // slice_name_is_valid
		return stops("", "%s is no slice", e)
	}
	for {
		if _, masked := u.look(at, stem+".slice"); masked {
			return stops("", "%s: %s.slice is masked", e, stem)
		}
		i := strings.LastIndexByte(stem, '-')
		if i < 0 {
			return nil
		}
		stem = stem[:i]
	}
}

// foreign reports whether a character may not stand in the name of a unit without an instance
// (unit_name_is_valid).
func foreign(c rune) bool {
	return (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && !strings.ContainsRune(`:-_.\`, c)
}

// templateOf is the template of an instance, or the name itself.
func templateOf(name string) string {
	ext := path.Ext(name)
	prefix, _, ok := strings.Cut(strings.TrimSuffix(name, ext), "@")
	if !ok {
		return name
	}
	return prefix + "@" + ext
}

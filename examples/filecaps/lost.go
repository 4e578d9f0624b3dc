package main

import (
	"fmt"
	"time"
)

// A witness is what a file is like at one time. Times are in nanoseconds since
// 1970; Birth is 0 where the filesystem does not tell.
type witness struct {
	Path                 string
	Stamped              bool // it has capabilities
	Dev, Ino             uint64
	Birth, Write, Change int64
	Mode, UID, GID       uint32
	Size                 int64
	SHA256               string // of the content, in hex
}

// An evidence is all that lost decides by.
type evidence struct {
	now    witness
	holds  bool     // the filesystem can hold capabilities
	fs     string   // its type, as mountinfo has it
	layer  layer    // of an overlay
	before *witness // the file as it was when it had them, nil unknown
	from   bool     // before is another file as it is now
}

// A layer says where on an overlay a file lies.
type layer struct {
	upper bool     // it was copied to the upper layer
	holds bool     // which can hold capabilities
	lower *witness // the file in the layers below, nil unknown
}

// A loss is the step that lost the capabilities; without a certainty none is
// known.
type loss struct {
	step      string
	certainty string // "proven": the evidence excludes the other steps; "likely": it fits; "possible": nothing speaks against it
	evidence  []string
}

// steps are those that lose the attribute: a new file never has it, and a write, a
// truncation and a change of the owner remove it (file_remove_privs,
// setattr_prepare and cap_inode_killpriv of the kernel).
var steps = map[string]struct{ what, instead string }{
	"filesystem": {"this filesystem holds no capabilities", "run setcap where the program will lie, on a filesystem that holds them, or grant the capability by a unit or by setpriv"},
	"copy-up":    {"the overlay copied the file to its upper layer, which cannot hold the attribute", "an upper layer on a filesystem with extended attributes; setcap once the file lies there"},
	"chown":      {"a change of the owner removes them, even to the same owner", "chown first and setcap after it"},
	"write":      {"the file was written in place (strip, objcopy, sed -i, a build or a copy over it), which removes them", "setcap as the last step"},
	"rebuild":    {"another program was put in its place, such as by a new build or an update", "setcap after every build, in the same script"},
	"copy":       {"a copy (cp, cp -p, install, rsync, COPY of an image) has the content and not the attribute", "cp -a, rsync -X or mv; or setcap where the copy lies"},
	"archive":    {"an archive or an image layer (tar, zip, git, a registry) was unpacked without the attribute", "tar --xattrs --xattrs-include='*' when it packs and when it unpacks; in an image, setcap in the last stage"},
	"source":     {"the file that it comes from has none either", "verify that one after each of its own steps"},
}

// usual are the suspects, the most frequent first.
var usual = []string{"rebuild", "copy", "chown", "archive", "write", "copy-up"}

// lost finds the step. It is a pure function.
func lost(e evidence) loss {
	n := e.now
	switch {
	case e.layer.upper && e.layer.lower != nil && e.layer.lower.Stamped && e.layer.lower.SHA256 == n.SHA256:
		return copiedUp(n, e.layer)
	case !e.holds:
		return loss{"filesystem", "proven", []string{"getxattr says EOPNOTSUPP on " + e.fs}}
	case e.before == nil:
		return guess(e)
	case e.from && !e.before.Stamped:
		return loss{"source", "proven", []string{fmt.Sprintf("%q has no capabilities", e.before.Path)}}
	case e.from:
		return compare(n, *e.before, fmt.Sprintf("%q", e.before.Path))
	case n.Dev == e.before.Dev && n.Ino == e.before.Ino && (n.Birth == e.before.Birth || n.Birth == 0 || e.before.Birth == 0):
		return inPlace(n, *e.before)
	default:
		return compare(n, *e.before, "the file that was noted")
	}
}

// copiedUp: an overlay copies attributes too where it can, so that where it can
// something else took them.
func copiedUp(n witness, l layer) loss {
	below := fmt.Sprintf("%q in a layer below has the same content, and has them", l.lower.Path)
	switch {
	case !l.holds:
		return loss{"copy-up", "proven", []string{below, "the filesystem of the upper layer says EOPNOTSUPP"}}
	case n.UID != l.lower.UID || n.GID != l.lower.GID:
		return loss{"chown", "proven", []string{below, fmt.Sprintf("its owner there is %d:%d, and is %d:%d", l.lower.UID, l.lower.GID, n.UID, n.GID)}}
	default:
		return loss{"chown", "likely", []string{below, "it was changed on the overlay: chown to the same owner, a copy over it, or setcap -r"}}
	}
}

// inPlace: it is the very file that had them. Where the filesystem tells no time
// of birth, another one may have its number.
func inPlace(n, was witness) loss {
	certainty, same := "proven", fmt.Sprintf("it is the file that was noted: inode %d, made at %s", n.Ino, at(n.Birth))
	if n.Birth == 0 || was.Birth == 0 {
		certainty, same = "likely", fmt.Sprintf("it has the inode that was noted, %d", n.Ino)
	}
	switch {
	case n.SHA256 != was.SHA256:
		return loss{"write", certainty, []string{same, "its content has changed, at " + at(n.Write)}}
	case n.Write != was.Write && n.Write > was.Change:
		return loss{"write", "likely", []string{same, "it was written at " + at(n.Write) + ", with the same content"}}
	case n.UID != was.UID || n.GID != was.GID:
		return loss{"chown", certainty, []string{same, fmt.Sprintf("its owner was %d:%d and is %d:%d; its content is the same", was.UID, was.GID, n.UID, n.GID)}}
	case n.Change != was.Change:
		return loss{"chown", "likely", []string{same, "its content and owner are the same, and its inode was changed at " + at(n.Change) + ": chown to the same owner, or setcap -r"}}
	}
	return loss{evidence: []string{same, "nothing else has changed"}}
}

// compare: it is a different file from the one that had them.
func compare(n, was witness, name string) loss {
	const second = int64(time.Second)
	switch {
	case n.SHA256 != was.SHA256:
		return loss{"rebuild", "proven", []string{"it is a different file from " + name + ", with different content"}}
	case n.Write == was.Write:
		return loss{"copy", "proven", []string{"it is a different file from " + name + ", with the same content and the same time of writing: a copy that kept it"}}
	case n.Write%second == 0 && n.Write == was.Write-was.Write%second:
		return loss{"archive", "likely", []string{"it is a different file from " + name + ", with the same content, written in the same second; archives keep no fractions"}}
	default:
		return loss{"copy", "likely", []string{"it is a different file from " + name + ", with the same content: a copy, or the same program built again"}}
	}
}

// guess goes by the times of the file alone.
func guess(e evidence) loss {
	n := e.now
	var seen []string
	if e.fs == "overlay" && e.layer.lower == nil {
		seen = append(seen, "it lies on an overlay, whose layers cannot be read from here")
	}
	switch {
	case n.Birth != 0 && n.Write < n.Birth && n.Write%int64(time.Second) == 0:
		return loss{"archive", "possible", append(seen, fmt.Sprintf("it was made here at %s, and claims to be written at %s, to the second, as archives keep it; a later step, such as chown, may have lost them as well", at(n.Birth), at(n.Write)))}
	case n.Birth != 0 && n.Write < n.Birth:
		return loss{"copy", "possible", append(seen, fmt.Sprintf("it was made here at %s, after its content was written at %s: a copy that kept the time; a later step, such as chown, may have lost them as well", at(n.Birth), at(n.Write)))}
	case n.Write == n.Change:
		seen = append(seen, "nothing has happened to it since it was written at "+at(n.Write)+": setcap was run before that, or not at all")
	case n.Change > n.Write:
		seen = append(seen, fmt.Sprintf("it was written at %s, and its inode changed after that, at %s: by chown, chmod, a rename, or setcap -r", at(n.Write), at(n.Change)))
	}
	return loss{evidence: seen}
}

// at is a time as messages have it.
func at(ns int64) string {
	if ns == 0 {
		return "an unknown time"
	}
	return time.Unix(0, ns).UTC().Format("2006-01-02 15:04:05.000000000")
}

package program

import "bytes"

// scriptLine takes the interpreter and its argument out of the first bytes of a
// script, as load_script does: blanks around both do not count, and what stands
// behind the first word is one argument. A line that is cut off may only lack a
// part of the argument.
func scriptLine(head []byte) (interpreter, argument string, err error) {
	line, _, whole := bytes.Cut(head[len("#!"):], []byte("\n"))
	if !whole && len(head) < headSize {
		whole = true
	}
	line, _, _ = bytes.Cut(line, []byte{0})
	line = bytes.TrimLeft(line, " \t")
	end := bytes.IndexAny(line, " \t")
	switch {
	case len(line) == 0:
		return "", "", badFormat("nothing stands behind #!")
	case end < 0 && !whole:
		return "", "", badFormat("the path behind #! is too long")
	case end < 0:
		return string(line), "", nil
	}
	return string(line[:end]), string(bytes.Trim(line[end:], " \t")), nil
}

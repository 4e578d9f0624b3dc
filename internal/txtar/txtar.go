// Package txtar reads and writes text archives: a comment, then files, each behind a
// line "-- NAME --". The format is that of golang.org/x/tools/txtar, which an importer
// of this module would otherwise have in its go.mod.
package txtar

import (
	"bytes"
	"strings"
)

// An Archive is a collection of files.
type Archive struct {
	Comment []byte
	Files   []File
}

// A File is one file of an archive.
type File struct {
	Name string
	Data []byte
}

// Format returns the text of an archive. No line of the comment or of a file may look
// like the marker of a file. A last line gets its newline.
func Format(a Archive) []byte {
	text := endLine(a.Comment)
	for _, f := range a.Files {
		text = append(text, "-- "+f.Name+" --\n"...)
		text = append(text, endLine(f.Data)...)
	}
	return text
}

// Parse reads an archive. Any text is one: what has no marker is all comment. The data
// of the archive is that of text.
func Parse(text []byte) Archive {
	var a Archive
	into := &a.Comment
	start, end := 0, 0
	for start = 0; start < len(text); {
		line := text[start:]
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		if name := marked(line); name != "" {
			*into = text[end:start]
			a.Files = append(a.Files, File{Name: name})
			into, end = &a.Files[len(a.Files)-1].Data, start+len(line)
		}
		start += len(line)
	}
	*into = endLine(text[end:])
	return a
}

// marked returns the name in a line that is the marker of a file, else "".
func marked(line []byte) string {
	text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
	name, isStart := strings.CutPrefix(text, "-- ")
	name, isEnd := strings.CutSuffix(name, " --")
	if !isStart || !isEnd {
		return ""
	}
	return strings.TrimSpace(name)
}

func endLine(data []byte) []byte {
	if len(data) == 0 || data[len(data)-1] == '\n' {
		return data[:len(data):len(data)]
	}
	return append(data[:len(data):len(data)], '\n')
}

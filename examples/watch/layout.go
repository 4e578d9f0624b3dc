package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cilium/ebpf/btf"
)

// A place is how to reach a member of a structure of the kernel: from the structure's
// address, each offset but the last leads to a pointer that is followed.
type place struct {
	offsets []uint32
	size    uint32 // of the member, in bytes
	shift   uint32 // a bit field is that many bits up in its byte
	bits    uint32 // and has so many; 0 for a member that is no bit field
}

// A layout finds members by the kernel's own description of its types.
type layout struct{ spec *btf.Spec }

// find returns the place of a member of a structure, such as "cred.user_ns.level" of
// "task_struct".
func (l layout) find(structure, path string) (place, error) {
	var s *btf.Struct
	if err := l.spec.TypeByName(structure, &s); err != nil {
		return place{}, fmt.Errorf("struct %s: %w", structure, err)
	}
	at, in := place{offsets: []uint32{0}}, btf.Type(s)
	for name := range strings.SplitSeq(path, ".") {
		if pointer, ok := in.(*btf.Pointer); ok {
			at.offsets = append(at.offsets, 0)
			in = bare(pointer.Target)
		}
		name, index := cutIndex(name)
		member, offset, err := memberOf(in, name)
		if err != nil {
			return place{}, fmt.Errorf("struct %s: %s: %w", structure, path, err)
		}
		if at.bits = uint32(member.BitfieldSize); at.bits > 0 {
			at.shift = uint32(offset % 8)
		}
		at.offsets[len(at.offsets)-1] += uint32(offset / 8)
		in = bare(member.Type)
		if array, ok := in.(*btf.Array); ok && index >= 0 {
			size, err := btf.Sizeof(array.Type)
			if err != nil {
				return place{}, err
			}
			at.offsets[len(at.offsets)-1] += uint32(index * size)
			in = bare(array.Type)
		}
	}
	size, err := btf.Sizeof(in)
	if at.size = uint32(size); at.bits > 0 {
		at.size = 1
		if at.shift+at.bits > 8 {
			err = errors.New("a bit field of several bytes")
		}
	}
	return at, err
}

// cutIndex cuts "numbers[2]" into its name and its index, -1 for none.
func cutIndex(name string) (string, int) {
	var index int
	before, after, ok := strings.Cut(name, "[")
	if _, err := fmt.Sscanf(after, "%d]", &index); !ok || err != nil {
		return name, -1
	}
	return before, index
}

// bare returns a type without its names and qualifiers.
func bare(t btf.Type) btf.Type { return btf.UnderlyingType(t) }

// memberOf finds a member of a structure, perhaps in a structure without a name inside it,
// and its offset in bits.
func memberOf(t btf.Type, name string) (btf.Member, btf.Bits, error) {
	var members []btf.Member
	switch t := t.(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name {
			return m, m.Offset, nil
		}
		if m.Name != "" {
			continue
		}
		if inner, offset, err := memberOf(bare(m.Type), name); err == nil {
			return inner, m.Offset + offset, nil
		}
	}
	return btf.Member{}, 0, fmt.Errorf("has no member %s", name)
}

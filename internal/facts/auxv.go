package facts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// ParseAuxv finds AT_SECURE in the auxiliary vector: pairs of words, the last of
// which is AT_NULL.
func ParseAuxv(b []byte) (int, error) {
	const (
		atNull, atSecure = 0, 23
		word             = bits.UintSize / 8
	)
	read := func(at int) uint64 {
		if word == 4 {
			return uint64(binary.NativeEndian.Uint32(b[at:]))
		}
		return binary.NativeEndian.Uint64(b[at:])
	}
	for at := 0; at+2*word <= len(b); at += 2 * word {
		switch key, value := read(at), read(at+word); {
		case key == atSecure && value <= 1:
			return int(value), nil
		case key == atSecure:
			return 0, fmt.Errorf("AT_SECURE is %d", value)
		case key == atNull:
			return 0, errors.New("no AT_SECURE")
		}
	}
	return 0, errors.New("auxv: cut short")
}

package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// A kind of text begins with a word and a version: filch1, filchsecret1. The
// digit 1 is not in base32's alphabet, so it ends the prefix.
type textKind struct {
	word string // what the text begins with, before the version
	name string // what to call it in errors
}

var (
	joinText     = textKind{"filch", "join string"}
	secretText   = textKind{"filchsecret", "cluster secret"}
	identityText = textKind{"filchidentity", "node identity"}
)

const (
	textVersion = '1'
	// checksumSize bytes of SHA-256 let one mistyped text in 4 billion pass.
	checksumSize = 4
	// maxText bounds what is looked at, so that a wrong file given by mistake
	// costs nothing. The largest join string has less than half of it.
	maxText = 64 << 10
)

var base32Lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// What is wrong with a text; errors.Is tells them apart.
var (
	// ErrTruncated: the text was cut short, as by a copy of half a line.
	ErrTruncated = errors.New("it is cut short; copy the whole of it")
	// ErrTyped: a character is wrong, or some are missing inside.
	ErrTyped = errors.New("a character is wrong; copy it anew instead of typing it")
	// ErrTextVersion: the text was made by a version of filch that writes it differently.
	ErrTextVersion = errors.New("it was made by another version of filch; use the same version on all machines")
	// ErrTextKind: the text is something else.
	ErrTextKind = errors.New("it is something else")
)

// encode lays out length, payload and checksum behind the prefix.
func (k textKind) encode(payload []byte) string {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(payload)))
	b = append(b, payload...)
	b = append(b, k.checksum(b)...)
	return k.word + string(textVersion) + base32Lower.EncodeToString(b)
}

// decode returns the payload, or an error that says what is wrong with the text.
func (k textKind) decode(text string) ([]byte, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("%s: %w: %d bytes long", k.name, ErrTextKind, len(text))
	}
	text = strings.ToLower(strings.Join(strings.Fields(text), "")) // a mail may have broken the line
	body, err := k.cutPrefix(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	payload, err := k.open(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.name, err)
	}
	return payload, nil
}

// cutPrefix takes the prefix off, or says what the text is instead.
func (k textKind) cutPrefix(text string) (string, error) {
	if text == "" {
		return "", errors.New("it is empty")
	}
	word := text[:len(text)-len(strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyz"))]
	if word != k.word {
		if word != "" && strings.HasPrefix(k.word, text) {
			return "", ErrTruncated
		}
		for _, other := range []textKind{joinText, secretText, identityText} {
			if word == other.word {
				return "", fmt.Errorf("%w: this is a %s", ErrTextKind, other.name)
			}
		}
		return "", fmt.Errorf("%w: it should begin with %s%c", ErrTextKind, k.word, textVersion)
	}
	rest := text[len(word):]
	switch {
	case rest == "":
		return "", ErrTruncated
	case rest[0] != textVersion:
		return "", ErrTextVersion
	}
	return rest[1:], nil
}

func (k textKind) open(body string) ([]byte, error) {
	// The length of base32 is never 1, 3 or 6 modulo 8: the last character of such
	// a text holds no whole byte. Leave it out to read the length before judging.
	whole := body
	for len(whole)%8 == 1 || len(whole)%8 == 3 || len(whole)%8 == 6 {
		whole = whole[:len(whole)-1]
	}
	b, err := base32Lower.DecodeString(whole)
	if err != nil {
		return nil, ErrTyped
	}
	if len(b) < 2 {
		return nil, ErrTruncated
	}
	want := 2 + int(binary.BigEndian.Uint16(b)) + checksumSize
	switch {
	case len(b) < want:
		return nil, ErrTruncated
	case len(b) > want || len(whole) != len(body):
		return nil, ErrTyped
	}
	sum := b[want-checksumSize:]
	if !bytes.Equal(sum, k.checksum(b[:want-checksumSize])) {
		return nil, ErrTyped
	}
	return b[2 : want-checksumSize], nil
}

func (k textKind) checksum(b []byte) []byte {
	h := sha256.New()
	h.Write([]byte(k.word))
	h.Write([]byte{textVersion})
	h.Write(b)
	return h.Sum(nil)[:checksumSize]
}

// Sealed objects and offline judgement of evidence. Made from c/src by `cargo run -p bailiwick-header`; do not edit.
//
// Every function that can fail gives 0 or the number of an error (README.md lists them); bw_last_error() says what happened on
// this thread. Every pointer given must be valid for the call, and every handle freed once, by the function that is named for it. A
// handle may be used by several threads at once, but must not be freed while it is used. A place for what a function gives is overwritten
// first, after an error too: it then holds NULL, no bytes, or zeros. (What a handle there stood for is not freed.)

#ifndef BAILIWICK_H
#define BAILIWICK_H

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

// A verified envelope and the key it holds.
typedef struct bw_object bw_object;

// An owner's secret key: signs envelopes. Wiped when freed.
typedef struct bw_owner_key bw_owner_key;

// A recipient's public key.
typedef struct bw_recipient bw_recipient;

// A recipient's secret key: opens objects. Wiped when freed.
typedef struct bw_recipient_key bw_recipient_key;

// Bytes the library made. Free them with bw_bytes_free.
typedef struct bw_bytes {
  // The first, NULL when there are none.
  uint8_t *data;
  // How many.
  size_t len;
} bw_bytes;

// How to seal. All zero is a good choice; a NULL instead of a pointer to it as well.
typedef struct bw_seal_options {
  // Name sealed with the data, UTF-8; NULL for none.
  const char *name;
  // Media type sealed with the data; NULL for none.
  const char *media_type;
  // Leave the recipients' key ids out of the envelope.
  bool anonymous;
  // Do not hide the true length.
  bool no_padding;
} bw_seal_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Frees bytes and forgets them; nothing happens to none.
//
// # Safety
// `bytes` is NULL or points to what a function of this library filled in and nobody changed.
void bw_bytes_free(struct bw_bytes *bytes);

// What happened when a function last failed on this thread. Valid until one fails again on this thread.
const char *bw_last_error(void);

// The stable name of an error's number, "not-authentic" for instance; "ok" for 0, "unknown" for a number of none.
const char *bw_code_name(int32_t code);

// Makes an owner's key.
//
// # Safety
// `out` is valid for a write.
int32_t bw_owner_key_generate(struct bw_owner_key **out);

// Reads an owner's key file; refused when others can read it.
//
// # Safety
// `file` is a string, `out` valid for a write.
int32_t bw_owner_key_read(const char *file, struct bw_owner_key **out);

// Writes a key file only this user can read, and FILE.pub beside it. Nothing is replaced.
//
// # Safety
// `key` is a live handle, `file` a string.
int32_t bw_owner_key_write(const struct bw_owner_key *key, const char *file);

// The public key: what envelopes are checked against.
//
// # Safety
// `key` is a live handle, `out` has room for 32 bytes.
int32_t bw_owner_key_public(const struct bw_owner_key *key, uint8_t *out);

// Frees an owner's key.
//
// # Safety
// `key` is NULL or a live handle that nobody uses.
void bw_owner_key_free(struct bw_owner_key *key);

// Reads the .pub file of an owner's key.
//
// # Safety
// `file` is a string, `out` has room for 32 bytes.
int32_t bw_owner_public_read(const char *file, uint8_t *out);

// Makes a recipient's key: "x-wing" (hybrid post-quantum; also for NULL), "x25519", "p256".
//
// # Safety
// `algorithm` is NULL or a string, `out` valid for a write.
int32_t bw_recipient_key_generate(const char *algorithm, struct bw_recipient_key **out);

// Reads a recipient's key file; refused when others can read it.
//
// # Safety
// `file` is a string, `out` valid for a write.
int32_t bw_recipient_key_read(const char *file, struct bw_recipient_key **out);

// Writes a key file only this user can read, and FILE.pub beside it. Nothing is replaced.
//
// # Safety
// `key` is a live handle, `file` a string.
int32_t bw_recipient_key_write(const struct bw_recipient_key *key, const char *file);

// The public half, a handle of its own.
//
// # Safety
// `key` is a live handle, `out` valid for a write.
int32_t bw_recipient_key_public(const struct bw_recipient_key *key, struct bw_recipient **out);

// Frees a recipient's secret key.
//
// # Safety
// `key` is NULL or a live handle that nobody uses.
void bw_recipient_key_free(struct bw_recipient_key *key);

// Reads the .pub file of a recipient's key.
//
// # Safety
// `file` is a string, `out` valid for a write.
int32_t bw_recipient_read(const char *file, struct bw_recipient **out);

// From the bytes of a public key: 1,216 ("x-wing"), 32 ("x25519"), 65 ("p256", uncompressed).
//
// # Safety
// `algorithm` is a string, `bytes` points to `len` bytes, `out` is valid for a write.
int32_t bw_recipient_from_bytes(const char *algorithm, const uint8_t *bytes, size_t len, struct bw_recipient **out);

// The bytes of a public key.
//
// # Safety
// `key` is a live handle, `out` valid for a write.
int32_t bw_recipient_bytes(const struct bw_recipient *key, struct bw_bytes *out);

// Frees a recipient's public key.
//
// # Safety
// `key` is NULL or a live handle that nobody uses.
void bw_recipient_free(struct bw_recipient *key);

// Seals data in memory into a body and its envelope. Free both with bw_bytes_free.
//
// # Safety
// `data` points to `data_len` bytes, `owner` is a live handle, `to` points to `to_len` live handles, `options` is NULL or valid, `body` and
// `envelope` are valid for a write.
int32_t bw_seal(const uint8_t *data,
                size_t data_len,
                const struct bw_owner_key *owner,
                const struct bw_recipient *const *to,
                size_t to_len,
                const struct bw_seal_options *options,
                struct bw_bytes *body,
                struct bw_bytes *envelope);

// Seals file `data` into the new files `body` and `envelope`, which appear whole or not at all.
//
// # Safety
// The paths are strings; otherwise as for bw_seal.
int32_t bw_seal_file(const char *data,
                     const char *body,
                     const char *envelope,
                     const struct bw_owner_key *owner,
                     const struct bw_recipient *const *to,
                     size_t to_len,
                     const struct bw_seal_options *options);

// Verifies an envelope under the owner's public key, known from elsewhere than the envelope, and opens it with one of the keys.
//
// # Safety
// `envelope` points to `envelope_len` bytes, `owner` to 32, `keys` to `keys_len` live handles; `out` is valid for a write.
int32_t bw_object_new(const uint8_t *envelope,
                      size_t envelope_len,
                      const uint8_t *owner,
                      const struct bw_recipient_key *const *keys,
                      size_t keys_len,
                      struct bw_object **out);

// How often the envelope was rewritten, from 1; 0 for NULL.
//
// # Safety
// `object` is NULL or a live handle.
uint64_t bw_object_generation(const struct bw_object *object);

// Decrypts a body in memory. `name`, unless NULL, receives the name that was sealed with the data: text from outside, not ended by a zero byte.
//
// # Safety
// `object` is a live handle, `body` points to `body_len` bytes, `data` is valid for a write, `name` NULL or valid for a write.
int32_t bw_object_open(const struct bw_object *object,
                       const uint8_t *body,
                       size_t body_len,
                       struct bw_bytes *data,
                       struct bw_bytes *name);

// Decrypts file `body` into the new file `out`, which appears only when all of the body was checked.
//
// # Safety
// `object` is a live handle, the paths are strings.
int32_t bw_object_open_file(const struct bw_object *object, const char *body, const char *out);

// Decrypts `len` bytes from `offset` on of a body in memory into `out`, touching only the chunks they lie in. They are authentic among key
// holders: the owner, or anyone who can open the object, wrote them. After an error `out` holds zeros.
//
// # Safety
// `object` is a live handle, `body` points to `body_len` bytes, `out` has room for `len`.
int32_t bw_object_read_range(const struct bw_object *object,
                             const uint8_t *body,
                             size_t body_len,
                             uint64_t offset,
                             uint8_t *out,
                             size_t len);

// Like bw_object_read_range, from a file.
//
// # Safety
// `object` is a live handle, `body` a string, `out` has room for `len` bytes.
int32_t bw_object_read_range_file(const struct bw_object *object,
                                  const char *body,
                                  uint64_t offset,
                                  uint8_t *out,
                                  size_t len);

// Frees an object.
//
// # Safety
// `object` is NULL or a live handle that nobody uses.
void bw_object_free(struct bw_object *object);

// Signs the next generation of an object's envelope, with recipients added and removed; `out` is empty when nothing would change. Whoever
// could open the object before and kept its key, or the data, still can.
//
// # Safety
// `object` and `owner` are live handles, `add` and `remove` point to as many live handles as their lengths say, `out` is valid for a write.
int32_t bw_rewrap(const struct bw_object *object,
                  const struct bw_owner_key *owner,
                  const struct bw_recipient *const *add,
                  size_t add_len,
                  const struct bw_recipient *const *remove,
                  size_t remove_len,
                  struct bw_bytes *out);

// Judges a bundle, or a dossier, offline. `keys` is a folder of verifying keys, DIGEST.vk. `now_unix_ms` is the moment to judge at,
// milliseconds since 1970-01-01 UTC; 0 for now. `exit_code` receives 0 when every claim the policy requires holds, otherwise what
// docs/spec/v1/verdict.md says, and 2 after an error; `json`, unless NULL, the whole report.
//
// # Safety
// `evidence` points to `evidence_len` bytes; `policy`, `anchors` and `keys` are strings; `exit_code` is valid for a write, `json` NULL or valid
// for a write.
int32_t bw_verify(const uint8_t *evidence,
                  size_t evidence_len,
                  const char *policy,
                  const char *anchors,
                  const char *keys,
                  uint64_t now_unix_ms,
                  uint8_t *exit_code,
                  struct bw_bytes *json);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BAILIWICK_H */

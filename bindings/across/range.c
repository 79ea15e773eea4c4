/* Writes LEN bytes from OFFSET on of the object in this folder: range OFFSET LEN. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bailiwick.h"

static void check(int32_t code) {
    if (code != 0) {
        fprintf(stderr, "%s: %s\n", bw_code_name(code), bw_last_error());
        exit(1);
    }
}

int main(int argc, char **argv) {
    static uint8_t envelope[1 << 20], data[1 << 20];
    if (argc != 3) return 2;
    size_t len = (size_t)strtoull(argv[2], NULL, 10);
    FILE *f = fopen("object.envelope", "rb");
    if (f == NULL || len > sizeof data) return 2;
    size_t envelope_len = fread(envelope, 1, sizeof envelope, f);
    fclose(f);
    uint8_t owner[32];
    bw_recipient_key *key = NULL;
    bw_object *object = NULL;
    check(bw_owner_public_read("owner.pub", owner));
    check(bw_recipient_key_read("reader", &key));
    const bw_recipient_key *keys[] = {key};
    check(bw_object_new(envelope, envelope_len, owner, keys, 1, &object));
    check(bw_object_read_range_file(object, "object", strtoull(argv[1], NULL, 10), data, len));
    bw_object_free(object);
    bw_recipient_key_free(key);
    return fwrite(data, 1, len, stdout) == len ? 0 : 1;
}

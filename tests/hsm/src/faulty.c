/* A PKCS#11 module in front of another one that fails as it is told: the tests' stand-in for broken vendors' libraries.
 *
 * SYMBOLON_REAL_MODULE names the real module; the file that SYMBOLON_FAULT names says what goes wrong now:
 *   crash      C_Sign ends the process by a signal
 *   hang       C_Sign never returns
 *   wait       C_Sign returns when that word is gone
 *   gone       no slot holds a token, and every function of a session says CKR_DEVICE_REMOVED
 *   extractable  C_UnwrapKey makes keys extractable and not sensitive, whatever the template says
 *   planted    C_GenerateKey makes keys of 32 bytes that SYMBOLON_PLANTED has, so that a test can look for them
 * Anything else: nothing. A list of functions is two bytes of version and pointers in the standard's order.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t;
typedef struct { ulong_t type; void *value; ulong_t length; } attribute_t;
typedef struct { unsigned char version[2]; void *functions[68]; } list_t;

/* Places in the list. */
enum { GET_SLOT_LIST = 4, CREATE_OBJECT = 20, SIGN_INIT = 42, SIGN = 43, VERIFY_INIT = 48, GENERATE_KEY = 58, UNWRAP_KEY = 61 };
enum { VALUE = 0x11, SENSITIVE = 0x103, VALUE_LEN = 0x161, EXTRACTABLE = 0x162, DEVICE_REMOVED = 0x32 };

static list_t real, ours;

static int told(const char *fault) {
    char line[32] = "";
    const char *path = getenv("SYMBOLON_FAULT");
    FILE *file = path ? fopen(path, "r") : NULL;
    if (!file) return 0;
    if (!fgets(line, sizeof line, file)) line[0] = 0;
    fclose(file);
    line[strcspn(line, "\n")] = 0;
    return strcmp(line, fault) == 0;
}

static ulong_t get_slot_list(unsigned char present, ulong_t *slots, ulong_t *count) {
    if (told("gone")) { *count = 0; return 0; }
    return ((ulong_t (*)(unsigned char, ulong_t *, ulong_t *))real.functions[GET_SLOT_LIST])(present, slots, count);
}

static ulong_t sign_init(ulong_t session, void *mechanism, ulong_t key) {
    if (told("gone")) return DEVICE_REMOVED;
    return ((ulong_t (*)(ulong_t, void *, ulong_t))real.functions[SIGN_INIT])(session, mechanism, key);
}

static ulong_t verify_init(ulong_t session, void *mechanism, ulong_t key) {
    if (told("gone")) return DEVICE_REMOVED;
    return ((ulong_t (*)(ulong_t, void *, ulong_t))real.functions[VERIFY_INIT])(session, mechanism, key);
}

static ulong_t sign(ulong_t session, unsigned char *data, ulong_t length, unsigned char *out, ulong_t *written) {
    if (told("crash")) abort();
    if (told("hang")) for (;;) pause();
    while (told("wait")) usleep(10000);
    return ((ulong_t (*)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *))real.functions[SIGN])(
        session, data, length, out, written);
}

static ulong_t generate_key(ulong_t session, void *mechanism, attribute_t *template, ulong_t count, ulong_t *key) {
    attribute_t changed[64];
    char *planted = getenv("SYMBOLON_PLANTED");
    if (!told("planted") || !planted || count > 64)
        return ((ulong_t (*)(ulong_t, void *, attribute_t *, ulong_t, ulong_t *))real.functions[GENERATE_KEY])(
            session, mechanism, template, count, key);
    memcpy(changed, template, count * sizeof *template);
    for (ulong_t i = 0; i < count; i++)
        if (changed[i].type == VALUE_LEN) changed[i] = (attribute_t){ VALUE, planted, strlen(planted) };
    return ((ulong_t (*)(ulong_t, attribute_t *, ulong_t, ulong_t *))real.functions[CREATE_OBJECT])(
        session, changed, count, key);
}

static ulong_t unwrap_key(ulong_t session, void *mechanism, ulong_t wrapping, unsigned char *wrapped, ulong_t length,
                          attribute_t *template, ulong_t count, ulong_t *key) {
    attribute_t changed[64];
    unsigned char yes = 1, no = 0;
    if (told("extractable") && count <= 64) {
        memcpy(changed, template, count * sizeof *template);
        for (ulong_t i = 0; i < count; i++) {
            if (changed[i].type == EXTRACTABLE) changed[i].value = &yes;
            if (changed[i].type == SENSITIVE) changed[i].value = &no;
        }
        template = changed;
    }
    return ((ulong_t (*)(ulong_t, void *, ulong_t, unsigned char *, ulong_t, attribute_t *, ulong_t, ulong_t *))
                real.functions[UNWRAP_KEY])(session, mechanism, wrapping, wrapped, length, template, count, key);
}

ulong_t C_GetFunctionList(list_t **list) {
    const char *path = getenv("SYMBOLON_REAL_MODULE");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    ulong_t (*get)(list_t **) = library ? (ulong_t (*)(list_t **))dlsym(library, "C_GetFunctionList") : NULL;
    list_t *theirs;
    if (!get || get(&theirs) != 0) return 5;
    real = ours = *theirs;
    ours.functions[GET_SLOT_LIST] = get_slot_list;
    ours.functions[SIGN_INIT] = sign_init;
    ours.functions[VERIFY_INIT] = verify_init;
    ours.functions[SIGN] = sign;
    ours.functions[GENERATE_KEY] = generate_key;
    ours.functions[UNWRAP_KEY] = unwrap_key;
    *list = &ours;
    return 0;
}

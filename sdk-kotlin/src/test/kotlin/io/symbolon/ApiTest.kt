package io.symbolon

import java.io.File
import java.lang.reflect.Executable
import java.lang.reflect.Field
import java.lang.reflect.GenericArrayType
import java.lang.reflect.Member
import java.lang.reflect.Modifier
import java.lang.reflect.ParameterizedType
import java.lang.reflect.Type
import java.lang.reflect.TypeVariable
import java.lang.reflect.WildcardType
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** What people see is ours, and the platform's: nothing of the bridge, not even where only Java would see it. */
class ApiTest {
    private val visible =
        File(
            Symbolon::class.java.protectionDomain.codeSource.location
                .toURI(),
        ).resolve("io/symbolon")
            .listFiles { file -> file.extension == "class" }!!
            .map { Class.forName("io.symbolon.${it.nameWithoutExtension}") }
            .filter { Modifier.isPublic(it.modifiers) && !it.isSynthetic }

    private fun isVisible(member: Member) =
        (Modifier.isPublic(member.modifiers) || Modifier.isProtected(member.modifiers)) && !member.isSynthetic

    private fun typesOf(member: Member): List<Type> =
        when (member) {
            is Field -> listOf(member.genericType)
            is Executable -> member.genericParameterTypes.toList() + member.genericExceptionTypes + returned(member)
            else -> emptyList()
        }

    private fun returned(member: Executable) = listOfNotNull((member as? java.lang.reflect.Method)?.genericReturnType)

    private fun names(type: Type): List<String> =
        when (type) {
            is Class<*> -> listOf(if (type.isArray) names(type.componentType).single() else type.name)
            is ParameterizedType -> names(type.rawType) + type.actualTypeArguments.flatMap(::names)
            is GenericArrayType -> names(type.genericComponentType)
            is WildcardType -> (type.upperBounds + type.lowerBounds).flatMap(::names)
            is TypeVariable<*> -> emptyList()
            else -> error("a type of another kind: $type")
        }

    private fun isAllowed(name: String) =
        !name.contains('.') ||
            name.matches(Regex("(java|javax|kotlin|kotlinx\\.coroutines)\\..*|io\\.symbolon\\.[A-Z][^.]*"))

    @Test
    fun `nothing of the bridge is in the API`() {
        assertTrue(visible.size > 20, "this test looks at ${visible.size} classes")
        val strays =
            visible.flatMap { type ->
                val members =
                    listOf(
                        type.declaredFields,
                        type.declaredMethods,
                        type.declaredConstructors,
                    ).flatMap { it.toList() }
                val own =
                    members.filter(::isVisible).flatMap(::typesOf) + type.genericInterfaces +
                        listOfNotNull(type.genericSuperclass)
                own.flatMap(::names).filterNot(::isAllowed).map { "${type.name}: $it" }
            }
        assertEquals(emptyList(), strays)
    }

    @Test
    fun `the bridge has a package of its own`() {
        assertTrue(Class.forName("io.symbolon.ffi.Client").name.startsWith("io.symbolon.ffi."))
        assertTrue(!isAllowed("io.symbolon.ffi.Client") && !isAllowed("com.sun.jna.Pointer"))
    }
}

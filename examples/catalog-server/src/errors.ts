/**
 * The errors of the Iceberg REST catalog.
 *
 * @see https://iceberg.apache.org/rest-catalog-spec/
 */
import type { ContentfulStatusCode } from "hono/utils/http-status";

export class CatalogError extends Error {
  constructor(
    readonly status: ContentfulStatusCode,
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

export const badRequest = (message: string) =>
  new CatalogError(400, "BadRequestException", message);
export const forbidden = (message: string) => new CatalogError(403, "ForbiddenException", message);
export const conflict = (message: string) =>
  new CatalogError(409, "CommitFailedException", message);
export const unprocessable = (message: string) =>
  new CatalogError(422, "UnprocessableEntityException", message);
export const noSuchNamespace = (namespace: readonly string[]) =>
  new CatalogError(
    404,
    "NoSuchNamespaceException",
    `There is no namespace ${namespace.join(".")}.`,
  );
export const noSuchTable = (table: string) =>
  new CatalogError(404, "NoSuchTableException", `There is no table ${table}.`);
export const alreadyExists = (name: string) =>
  new CatalogError(409, "AlreadyExistsException", `${name} exists already. Use another name.`);

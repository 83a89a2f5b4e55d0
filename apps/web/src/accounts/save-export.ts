/** Has the browser save what is known of a person. */
export async function saveExport(response: Response): Promise<void> {
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = "syla-export.json";
  link.click();
  URL.revokeObjectURL(url);
}
